//! Answers to a camera.

mod common;

use std::io::Cursor;

use common::{BLUE, Bench, RED, picture};
use image::ImageFormat;
use serde_json::Value as Json;

fn jpeg(colour: [u8; 3], number: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture(colour, number).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// A bench that knows colours, and a film: ten red frames, a blue one, five red ones, ten blue ones.
fn film() -> Bench {
    let bench = Bench::new();
    bench.colours("data", 0, 6);
    bench.json("learn", &["--data", "data", "--state", "state"]);
    let colours = [&[RED; 10][..], &[BLUE], &[RED; 5], &[BLUE; 10]].concat();
    let frames = colours.iter().zip(100..).map(|(colour, number)| jpeg(*colour, number));
    std::fs::write(bench.path("film.mjpeg"), frames.collect::<Vec<_>>().concat()).unwrap();
    bench
}

fn lines(stdout: &[u8]) -> Vec<Json> {
    String::from_utf8_lossy(stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn each_frame_of_a_film_is_a_line_and_one_wrong_frame_changes_nothing() {
    let bench = film();
    let output =
        bench.command("watch", &["--state", "state", "--camera", "film.mjpeg"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "warning: film.mjpeg: has ended\n");
    let lines = lines(&output.stdout);
    assert_eq!(lines.len(), 26);
    let best: Vec<&str> = lines.iter().map(|line| line["best"].as_str().unwrap()).collect();
    assert_eq!((best[9], best[10], best[11], best[25]), ("red", "blue", "red", "blue"));
    for (at, line) in lines.iter().enumerate() {
        assert_eq!((&line["frame"], &line["dropped"]), (&Json::from(at + 1), &Json::from(0)));
        let smoothed = if at < 18 { "red" } else { "blue" };
        assert_eq!(line["smoothed"], smoothed, "{at}");
        assert_eq!(line["changed"], at == 0 || at == 18, "{at}");
    }
    // Without smoothing the answer is the label; --changes leaves the other lines out.
    let changes = ["--state", "state", "--camera", "film.mjpeg", "--smooth", "1", "--changes"];
    let output = bench.command("watch", &changes).output().unwrap();
    let frames: Vec<u64> =
        self::lines(&output.stdout).iter().map(|line| line["frame"].as_u64().unwrap()).collect();
    assert_eq!(frames, [1, 11, 12, 17]);
}

#[test]
fn a_pipe_is_read_to_its_end_and_what_is_broken_is_said() {
    let bench = film();
    let mut film = std::fs::read(bench.path("film.mjpeg")).unwrap();
    film.truncate(film.len() - 3);
    let output = bench
        .command("watch", &["--state", "state", "--camera", "-"])
        .write_stdin(film)
        .output()
        .unwrap();
    assert!(output.status.success());
    let lines = lines(&output.stdout);
    // Those that came while one was answered gave way to it, and none is left out of the count.
    let dropped: u64 = lines.iter().map(|line| line["dropped"].as_u64().unwrap()).sum();
    assert_eq!(lines.len() as u64 + dropped, 25);
    assert_eq!(lines.last().unwrap()["frame"], 25);
    // A JPEG that no decoder takes is a line with an error.
    std::fs::write(bench.path("broken.mjpeg"), b"\xff\xd8\xff\xda\0\x02data\xff\xd9").unwrap();
    let output =
        bench.command("watch", &["--state", "state", "--camera", "broken.mjpeg"]).output().unwrap();
    let line = &self::lines(&output.stdout)[0];
    assert!(line["error"].as_str().unwrap().contains("frame"), "{line}");
    assert_eq!(line["smoothed"], Json::Null);
}

#[test]
fn what_is_no_camera_is_refused_before_anything_is_opened() {
    let bench = film();
    for (source, said) in
        [("https://cam/", "https"), ("/dev/video0", "ffmpeg"), ("http://", "HOST")]
    {
        let output =
            bench.command("watch", &["--state", "state", "--camera", source]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{source}");
    }
    let output =
        bench.command("watch", &["--state", "nothing", "--camera", "film.mjpeg"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}
