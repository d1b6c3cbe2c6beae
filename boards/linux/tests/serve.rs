//! `serve` leaves the same bytes as the commands that do the same.

mod common;

use std::collections::BTreeSet;

use common::served::Served;
use common::{BLUE, Bench, GREEN, RED, contents};
use serde_json::{Value as Json, json};

/// Pictures of a data folder, in the order in which the command reads them.
fn pictures(bench: &Bench, data: &str) -> Vec<(String, String, Vec<u8>)> {
    let sorted = |path: &std::path::Path| {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let root = bench.path(data);
    let of = |class: String| {
        let folder = root.join(&class);
        let read =
            |name: String| (class.clone(), name.clone(), std::fs::read(folder.join(name)).unwrap());
        sorted(&folder).into_iter().map(read).collect::<Vec<_>>()
    };
    sorted(&root).into_iter().flat_map(of).collect()
}

/// A bench with three colours, of which a state has learned.
fn taught() -> Bench {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &["--data", "data", "--state", "state", "--keep-samples"]);
    bench
}

fn ids(served: &Served) -> Vec<String> {
    let samples = served.get("/api/samples").done();
    samples["samples"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_api_leaves_the_bytes_of_the_commands_and_says_what_they_say() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.colours("more", 20, 2);
    bench.pictures("more", "navy", BLUE, 40, 2);
    let served = bench.serve("api", &["--keep-samples"]);
    let same = |step: &str| {
        assert!(contents(&bench.path("state")) == contents(&bench.path("api")), "{step}");
    };
    let without_time = |mut report: Json| {
        for time in ["seconds", "training_seconds"] {
            report[time] = Json::Null;
        }
        report
    };
    for data in ["data", "more"] {
        let by_command =
            bench.json("learn", &["--data", data, "--state", "state", "--keep-samples", "--force"]);
        served.form("/api/samples?learn=no", &pictures(&bench, data)).done();
        let by_api = served.post("/api/learn", &json!({"force": true})).done();
        assert_eq!((&by_api["outcome"], &by_api["error"]), (&json!("committed"), &Json::Null));
        let mut by_api = without_time(by_api["report"].clone());
        // Files are named without the folder that the server does not know.
        for near in by_api["near_duplicates"].as_array_mut().unwrap() {
            for name in ["file", "like"] {
                near[name] =
                    near[name].as_str().unwrap().replace("pictures/", &format!("{data}/")).into();
            }
        }
        assert_eq!(by_api, without_time(by_command), "{data}");
        same(data);
    }
    let state = ["--state", "state"];
    let command =
        |command: &str, arguments: &[&str]| bench.json(command, &[&state[..], arguments].concat());
    assert_eq!(served.get("/api/status").done(), command("status", &[]));
    assert_eq!(served.get("/api/history").done(), command("history", &[]));
    let mut doubtful = served.get("/api/samples?doubtful=true").done();
    for sample in doubtful["samples"].as_array_mut().unwrap() {
        assert_eq!(sample.as_object_mut().unwrap().remove("kept"), Some(json!(true)));
    }
    assert_eq!(doubtful, command("samples", &["--doubtful"]));
    let evaluation = served.form("/api/eval", &pictures(&bench, "more")).done();
    assert_eq!(evaluation, command("eval", &["--data", "more"]));
    let id = ids(&served)[0].clone();
    assert_eq!(
        served.post("/api/relabel", &json!({"samples": [id], "class": "navy"})).done(),
        command("relabel", &["--sample", &id, "--class", "navy"])
    );
    same("relabel");
    assert_eq!(
        served.post("/api/rename", &json!({"class": "navy", "to": "dark blue"})).done(),
        command("rename", &["--class", "navy", "--to", "dark blue"])
    );
    same("rename");
    assert_eq!(served.post("/api/rollback", &json!({})).done(), command("rollback", &[]));
    same("rollback");
    assert_eq!(
        served.post("/api/forget", &json!({"classes": ["green"], "samples": [id]})).done(),
        command("forget", &["--class", "green", "--sample", &id])
    );
    same("forget");
    assert_eq!(
        served.post("/api/forget", &json!({"everything": true})).done(),
        command("forget", &["--yes"])
    );
    assert!(!bench.path("api").exists() && !bench.path("state").exists());
}

#[test]
fn a_relabelled_state_is_the_one_of_a_device_that_learned_it_right() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &["--data", "data", "--state", "right"]);
    // One red picture is learned as green.
    let wrong = bench.path("data/green/wrong.png");
    std::fs::rename(bench.path("data/red/0.png"), &wrong).unwrap();
    bench.json("learn", &["--data", "data", "--state", "state"]);
    let sample = wrong.display().to_string();
    let report =
        bench.json("relabel", &["--state", "state", "--sample", &sample, "--class", "red"]);
    assert_eq!((&report["relabelled_samples"], &report["samples"]), (&json!(1), &json!(12)));
    let read = |state: &str, file: &str| std::fs::read(bench.path(state).join(file)).unwrap();
    for file in ["head.hshr", "features.hsfc"] {
        assert!(read("right", file) == read("state", file), "{file}");
    }
    let nobody = "00".repeat(16);
    let refusal =
        bench.refusal(1, "relabel", &["--state", "state", "--sample", &nobody, "--class", "red"]);
    assert!(refusal.contains(&nobody), "{refusal}");
    let all = bench.json("samples", &["--state", "state"]);
    let all = all["samples"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap());
    let mut arguments = vec!["--state", "state", "--class", "red"];
    all.for_each(|id| arguments.extend(["--sample", id]));
    assert!(bench.refusal(1, "relabel", &arguments).contains("one class only"));
}

#[test]
fn the_first_class_waits_for_a_second_and_then_both_are_learned_by_themselves() {
    let bench = Bench::new();
    bench.pictures("data", "red", RED, 0, 3);
    bench.pictures("data", "green", GREEN, 0, 3);
    let served = bench.serve("state", &[]);
    assert_eq!(served.get("/api/status").status, 404);
    let mut events = served.listen();
    let (green, red): (Vec<_>, Vec<_>) =
        pictures(&bench, "data").into_iter().partition(|(class, ..)| class == "green");
    let added = served.form("/api/samples", &red).done();
    assert_eq!(
        (&added["taken"], &added["held"], &added["pictures"]),
        (&json!(3), &json!("one class"), &json!(3))
    );
    let added = served.form("/api/samples", &green).done();
    assert_eq!((&added["held"], &added["pictures"]), (&Json::Null, &json!(6)));
    assert_eq!(Served::event(&mut events, "learning")["work"], "features");
    let learned = Served::event(&mut events, "learned");
    assert_eq!(
        (&learned["outcome"], &learned["report"]["samples"]),
        (&json!("committed"), &json!(6))
    );
    assert_eq!(served.get("/api/learned").done(), learned);
    assert_eq!(served.get("/api/waiting").done()["pictures"], 0);
    let answer = served.ask("POST", "/api/predict", &[], &red[0].2).done();
    assert_eq!(answer["best"], "red");
    let bars: Vec<(&str, f64)> = answer["bars"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bar| (bar["name"].as_str().unwrap(), bar["probability"].as_f64().unwrap()))
        .collect();
    assert_eq!(bars.len(), 2);
    let red = bars.iter().find(|(name, _)| *name == "red").unwrap().1;
    assert_eq!(red, answer["probability"].as_f64().unwrap());
    assert!((bars.iter().map(|bar| bar.1).sum::<f64>() - 1.0).abs() < 1e-5, "{bars:?}");
    assert!(
        !bench.path("state/kept-samples").exists(),
        "pictures are kept where nobody asked for it"
    );
}

#[test]
fn what_was_rejected_waits_until_it_is_forced_or_dropped() {
    let bench = Bench::new();
    bench.colours("data", 0, 12);
    bench.json("learn", &["--data", "data", "--state", "state"]);
    // Red pictures as green and green ones as red: known answers suffer.
    bench.pictures("lies", "green", RED, 100, 12);
    bench.pictures("lies", "red", GREEN, 100, 12);
    let served = bench.serve("state", &[]);
    served.form("/api/samples?learn=no", &pictures(&bench, "lies")).done();
    let head = std::fs::read(bench.path("state/head.hshr")).unwrap();
    let answer = served.post("/api/learn", &Json::Null);
    assert_eq!(answer.status, 409);
    let learned = answer.json();
    assert_eq!(learned["outcome"], "rejected");
    assert!(!learned["report"]["rejected"].as_str().unwrap().is_empty());
    assert!(std::fs::read(bench.path("state/head.hshr")).unwrap() == head);
    let waiting = served.get("/api/waiting").done();
    assert_eq!((&waiting["held"], &waiting["pictures"]), (&json!("rejected"), &json!(24)));
    let number = waiting["waiting"][0]["number"].as_u64().unwrap();
    let picture = served.get(&format!("/api/waiting/{number}/picture"));
    assert_eq!((picture.status, picture.body), (200, pictures(&bench, "lies")[0].2.clone()));
    assert_eq!(served.post("/api/learn", &json!({"force": true})).done()["outcome"], "committed");
    assert_eq!(served.get("/api/waiting").done()["pictures"], 0);
    served.form("/api/samples?learn=no", &pictures(&bench, "lies")).done();
    let number = served.get("/api/waiting").done()["waiting"][3]["number"].as_u64().unwrap();
    let path = format!("/api/waiting/{number}");
    assert_eq!(served.ask("DELETE", &path, &[], b"").done()["pictures"], 23);
    assert_eq!(served.ask("DELETE", &path, &[], b"").status, 404);
    assert_eq!(served.ask("DELETE", "/api/waiting", &[], b"").done()["pictures"], 0);
}

#[test]
fn a_bad_picture_is_named_and_the_others_are_taken() {
    let bench = taught();
    bench.pictures("more", "red", RED, 50, 1);
    let served = bench.serve("state", &[]);
    let mut some = pictures(&bench, "more");
    some.push(("red".into(), "notes.txt".into(), b"no picture".to_vec()));
    some.push((String::new(), "a.png".into(), some[0].2.clone()));
    let cut = &some[0].2[..some[0].2.len() / 2];
    some.push(("red".into(), "cut.png".into(), cut.to_vec()));
    let added = served.form("/api/samples?learn=no", &some).done();
    assert_eq!((&added["taken"], added["refused"].as_array().unwrap().len()), (&json!(2), 2));
    assert_eq!(added["refused"][0]["file"], "notes.txt");
    // That the end of one is missing is found when it is read.
    let report = &served.post("/api/learn", &Json::Null).done()["report"];
    assert_eq!(report["new_samples"], 1);
    assert!(report["bad_files"][0]["file"].as_str().unwrap().ends_with("red/cut.png"), "{report}");
    let refused = served.form("/api/samples", &some[1..2]);
    assert_eq!((refused.status, refused.json()["fault"].as_str()), (400, Some("input")));
}

#[test]
fn pictures_that_are_kept_are_shown_and_a_state_is_saved_and_put_back() {
    let bench = taught();
    bench.pictures("more", "white", [230; 3], 0, 4);
    let served = bench.serve("state", &[]);
    let id = &ids(&served)[0];
    let picture = served.get(&format!("/api/samples/{id}/picture"));
    assert!(picture.head.contains("content-type: image/png"), "{}", picture.head);
    assert!(pictures(&bench, "data").iter().any(|(.., content)| *content == picture.body));
    let small =
        image::load_from_memory(&served.get(&format!("/api/samples/{id}/thumbnail")).body).unwrap();
    assert!(small.width() <= 160 && small.height() <= 160);
    assert_eq!(served.get(&format!("/api/samples/{}/picture", "00".repeat(16))).status, 404);

    let before = contents(&bench.path("state"));
    let saved = served.get("/api/state");
    assert_eq!(saved.status, 200);
    served.form("/api/samples?learn=no", &pictures(&bench, "more")).done();
    served.post("/api/learn", &Json::Null).done();
    assert!(contents(&bench.path("state")) != before);
    std::fs::write(bench.path("state/serve.pem"), "stays").unwrap();
    let status = served.ask("PUT", "/api/state", &[], &saved.body).done();
    assert_eq!(status["samples"], 12);
    std::fs::remove_file(bench.path("state/serve.pem")).expect("the key stays where it is");
    assert!(contents(&bench.path("state")) == before);
    assert_eq!(served.get("/api/status").done(), bench.json("status", &["--state", "state"]));

    // What is no state, or not a sound one, changes nothing.
    let names = |root: &std::path::Path| -> BTreeSet<String> {
        std::fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    let there = names(bench.root.path());
    let at = saved.body.windows(9).position(|name| name == b"head.hshr").unwrap();
    let features = saved.body.windows(13).position(|name| name == b"features.hsfc").unwrap();
    let mut damaged = saved.body.clone();
    damaged[features + 512 + 70] ^= 1;
    let cut = &saved.body[..saved.body.len() / 2];
    let mut path_trick = saved.body.clone();
    path_trick[at..at + 9].copy_from_slice(b"../d.hshr");
    for wrong in [&b"no tar"[..], &damaged, cut, &path_trick, &[0; 1024]] {
        let refused = served.ask("PUT", "/api/state", &[], wrong);
        assert!(matches!(refused.status, 400 | 404 | 409), "{refused:?}");
        assert!(contents(&bench.path("state")) == before);
        assert_eq!(names(bench.root.path()), there);
    }
}

#[test]
fn another_program_beside_it_is_seen_and_waited_for() {
    let bench = taught();
    bench.pictures("more", "white", [230; 3], 0, 4);
    bench.pictures("black", "black", [10; 3], 0, 4);
    let served = bench.serve("state", &[]);
    let mut events = served.listen();
    bench.json("learn", &["--data", "more", "--state", "state"]);
    Served::event(&mut events, "changed");
    assert_eq!(served.get("/api/classes").done()["classes"].as_array().unwrap().len(), 4);
    // Another program holds the state: what was asked for is refused in words, what is learned by itself is tried again.
    let folder = headstart_device::state::StateFolder::new(&bench.path("state"));
    let lock = folder.lock().unwrap();
    let refused = served.post("/api/rename", &json!({"class": "red", "to": "rot"}));
    assert_eq!((refused.status, refused.json()["fault"].as_str()), (409, Some("machine")));
    assert!(refused.json()["error"].as_str().unwrap().contains("in use"));
    served.form("/api/samples", &pictures(&bench, "black")).done();
    // It has been tried, and found busy.
    std::thread::sleep(std::time::Duration::from_millis(1200));
    drop(lock);
    assert_eq!(Served::event(&mut events, "learned")["outcome"], "committed");
    assert_eq!(served.get("/api/classes").done()["classes"].as_array().unwrap().len(), 5);
}

#[test]
fn a_read_only_server_answers_and_changes_nothing() {
    let bench = taught();
    let served = bench.serve("state", &["--read-only"]);
    let before = contents(&bench.path("state"));
    let some = pictures(&bench, "data");
    assert_eq!(served.ask("POST", "/api/predict", &[], &some[0].2).done()["label"], "blue");
    assert_eq!(served.form("/api/samples", &some).status, 403);
    for path in ["learn", "stop", "forget", "rename", "relabel", "rollback"] {
        assert_eq!(served.post(&format!("/api/{path}"), &json!({})).status, 403, "{path}");
    }
    for path in ["/api/waiting", "/api/waiting/1"] {
        assert_eq!(served.ask("DELETE", path, &[], b"").status, 403);
    }
    assert_eq!(served.ask("PUT", "/api/state", &[], b"").status, 403);
    let device = served.get("/api/device").done();
    let can: Vec<&str> =
        device["can"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(
        can.contains(&"predict") && !can.contains(&"learn") && !can.contains(&"restore"),
        "{can:?}"
    );
    assert!(contents(&bench.path("state")) == before);
}

#[test]
fn ctrl_c_ends_it_and_says_what_was_not_learned() {
    let bench = taught();
    bench.pictures("more", "white", [230; 3], 0, 2);
    let served = bench.serve("state", &[]);
    let _events = served.listen();
    served.form("/api/samples?learn=no", &pictures(&bench, "more")).done();
    let (status, said) = served.end();
    assert_eq!(status, Some(0));
    assert!(said.contains("2 pictures are not learned"), "{said}");
    let served = bench.serve("state", &[]);
    assert_eq!(served.end(), (Some(0), String::new()));
}

/// The place in a JSON value that is not as its schema says, if there is one.
fn mismatch(value: &Json, schema: &Json, file: &Json, at: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return mismatch(value, &file["components"]["schemas"][name], file, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let wrong: Vec<_> =
            choices.iter().map(|choice| mismatch(value, choice, file, at)).collect();
        return if wrong.iter().any(Option::is_none) {
            None
        } else {
            wrong.into_iter().flatten().next()
        };
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Json::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    let is = |kind: &&str| match *kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{at}: no type {other}"),
    };
    if !kinds.iter().any(is) {
        return Some(format!("{at} is {value}, and {kinds:?} is said"));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        return Some(format!("{at} is {value}, and one of {allowed:?} is said"));
    }
    if let (Some(object), Some(properties)) = (value.as_object(), schema["properties"].as_object())
    {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !object.contains_key(name.as_str().unwrap()) {
                return Some(format!("{at} has no {name}"));
            }
        }
        for (name, value) in object {
            let Some(schema) = properties.get(name) else {
                return Some(format!("{at} has {name}, which is not said"));
            };
            if let Some(wrong) = mismatch(value, schema, file, &format!("{at}.{name}")) {
                return Some(wrong);
            }
        }
    }
    let each = value.as_array().into_iter().flatten().enumerate();
    each.filter(|_| schema["items"].is_object()).find_map(|(place, value)| {
        mismatch(value, &schema["items"], file, &format!("{at}[{place}]"))
    })
}

#[test]
fn answers_are_what_the_file_for_programs_says() {
    let bench = taught();
    bench.pictures("more", "white", [230; 3], 0, 4);
    // Two that show the same, in files that differ.
    let again = image::open(bench.path("data/red/1.png")).unwrap();
    again.save(bench.path("more/white/again.bmp")).unwrap();
    let served = bench.serve("state", &[]);
    let file = served.get("/api/openapi.json").done();
    let mut asked = BTreeSet::new();
    let mut check = |method: &str, path: &str, answer: common::served::Answer| {
        let responses = &file["paths"][path][method]["responses"];
        assert!(responses.is_object(), "{method} {path} is not in the file");
        asked.insert((path.to_owned(), method.to_owned()));
        let status = answer.status.to_string();
        let response = responses.get(&status).unwrap_or(&responses["default"]);
        let kind =
            answer.head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap();
        let schema = &response["content"][kind]["schema"];
        assert!(schema.is_object(), "{method} {path} answers {status} with {kind}");
        if kind == "application/json" {
            let wrong =
                mismatch(&answer.json(), schema, &file, &format!("{method} {path} {status}"));
            assert_eq!(wrong, None);
        }
        answer
    };
    let some = pictures(&bench, "more");
    let id = &ids(&served)[0];
    for path in [
        "/api/device",
        "/api/status",
        "/api/classes",
        "/api/samples",
        "/api/confusion",
        "/api/duplicates",
        "/api/history",
        "/api/learned",
        "/api/waiting",
        "/api/state",
        "/api/export",
        "/api/camera",
        "/api/openapi.json",
    ] {
        check("get", path, served.get(path));
    }
    for what in ["picture", "thumbnail"] {
        check(
            "get",
            &format!("/api/samples/{{id}}/{what}"),
            served.get(&format!("/api/samples/{id}/{what}")),
        );
    }
    check("post", "/api/predict", served.ask("POST", "/api/predict", &[], &some[0].2));
    check("post", "/api/predict", served.ask("POST", "/api/predict", &[], b"no picture"));
    check("post", "/api/eval", served.form("/api/eval", &pictures(&bench, "data")));
    let added = check("post", "/api/samples", served.form("/api/samples?learn=no", &some)).done();
    let number = added["waiting"][0]["number"].as_u64().unwrap();
    check("get", "/api/waiting", served.get("/api/waiting"));
    check(
        "get",
        "/api/waiting/{number}/picture",
        served.get(&format!("/api/waiting/{number}/picture")),
    );
    check(
        "delete",
        "/api/waiting/{number}",
        served.ask("DELETE", &format!("/api/waiting/{number}"), &[], b""),
    );
    let options = json!({"learner": "ridge", "views": 1, "weight": "recent", "memory": 1_000_000_000, "half": false});
    check("post", "/api/learn", served.post("/api/learn", &options));
    check("get", "/api/learned", served.get("/api/learned"));
    let pairs = check("get", "/api/duplicates", served.get("/api/duplicates")).done();
    assert!(
        !pairs["pairs"].as_array().unwrap().is_empty(),
        "the picture that was saved again is not told"
    );
    let confusion = check("get", "/api/confusion", served.get("/api/confusion")).done();
    let cells =
        confusion["confusion"].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
    assert_eq!(
        cells.map(|cell| cell.as_u64().unwrap()).sum::<u64>(),
        confusion["samples"].as_u64().unwrap()
    );
    check("delete", "/api/waiting", served.ask("DELETE", "/api/waiting", &[], b""));
    check("post", "/api/stop", served.post("/api/stop", &Json::Null));
    check(
        "post",
        "/api/relabel",
        served.post("/api/relabel", &json!({"samples": [id], "class": "white"})),
    );
    check(
        "post",
        "/api/rename",
        served.post("/api/rename", &json!({"class": "white", "to": "bright"})),
    );
    check(
        "post",
        "/api/rename",
        served.post("/api/rename", &json!({"class": "nobody", "to": "x"})),
    );
    check("post", "/api/rollback", served.post("/api/rollback", &json!({})));
    check("get", "/api/history", served.get("/api/history"));
    let saved = served.get("/api/state").body;
    check("put", "/api/state", served.ask("PUT", "/api/state", &[], &saved));
    check("post", "/api/forget", served.post("/api/forget", &json!({"classes": ["red"]})));
    check("post", "/api/forget", served.post("/api/forget", &json!({"everything": true})));
    check("get", "/api/status", served.get("/api/status"));
    check("post", "/api/learn", served.post("/api/learn", &Json::Null));
    // The stream of events has no schema of its own.
    let mut all: BTreeSet<(String, String)> = file["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|method| (path.clone(), method.clone()))
        })
        .collect();
    assert!(all.remove(&("/api/events".to_owned(), "get".to_owned())));
    assert_eq!(asked, all);
}
