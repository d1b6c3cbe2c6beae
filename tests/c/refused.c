/* What the Linux face refuses: refused PACK STATE FOLDER PICTURE. Null everywhere, handles of another kind, short arrays, and calls
   before there is anything to answer from. PACK ships no head. Nothing of it ends the program, and nothing is written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "headstart.h"

static int tried;

static void gives(hs_status expected, hs_status status, const char *what) {
    tried++;
    if (status != expected) {
        fprintf(stderr, "refused: %s gives '%s' (%s), not '%s'\n", what, hs_status_text(status), hs_last_error(), hs_status_text(expected));
        exit(1);
    }
    if (status != HS_STATUS_OK && strlen(hs_last_error()) == 0) {
        fprintf(stderr, "refused: %s has no words\n", what);
        exit(1);
    }
}

#define GIVES(status, call) gives(HS_STATUS_##status, call, #call)
#define SO(is) gives(HS_STATUS_OK, (is) ? HS_STATUS_OK : HS_STATUS_PANIC, #is)

static bool never(void *context, size_t done, size_t of) {
    (void)context;
    (void)done;
    (void)of;
    return true;
}

/* No handle at all, and one of another kind. */
static void handles(const char *folder, const char *picture, void *other_device, void *other_samples, void *other_options) {
    uint8_t pixels[12] = {0};
    float values[4] = {0};
    hs_answer answer;
    hs_input input;
    hs_lesson lesson;
    hs_samples *list = NULL;
    char *json = NULL;
    double share = -1.0;
    hs_device *device = other_device;
    hs_samples *samples = other_samples;
    hs_options *options = other_options;
    memset(&answer, 7, sizeof answer);
    memset(&input, 7, sizeof input);
    memset(&lesson, 7, sizeof lesson);

    GIVES(ARGUMENT, hs_device_input(device, &input));
    GIVES(ARGUMENT, hs_device_predict_file(device, picture, &answer));
    GIVES(ARGUMENT, hs_device_predict_pixels(device, pixels, 2, 2, 3, &answer));
    GIVES(ARGUMENT, hs_device_predict_values(device, values, 4, &answer));
    GIVES(ARGUMENT, hs_device_mask_pixels(device, pixels, 2, 2, 3, pixels));
    GIVES(ARGUMENT, hs_device_learn(device, samples, NULL, &lesson, &json));
    GIVES(ARGUMENT, hs_device_evaluate(device, samples, &share, &json));
    GIVES(ARGUMENT, hs_device_status(device, &json));
    GIVES(ARGUMENT, hs_device_history(device, &json));
    GIVES(ARGUMENT, hs_device_forget_all(device));
    GIVES(ARGUMENT, hs_device_forget_class(device, "x", &json));
    GIVES(ARGUMENT, hs_device_forget_sample(device, "x", &json));
    GIVES(ARGUMENT, hs_device_rename(device, "x", "y", &json));
    GIVES(ARGUMENT, hs_device_relabel(device, "x", "y", &json));
    GIVES(ARGUMENT, hs_device_rollback(device, 0, &json));
    GIVES(ARGUMENT, hs_samples_folder(device, folder, &list));
    GIVES(ARGUMENT, hs_samples_add_file(samples, picture, "x"));
    GIVES(ARGUMENT, hs_samples_add_pixels(samples, pixels, 2, 2, 3, "x"));
    GIVES(ARGUMENT, hs_samples_add_values(samples, values, 4, "x"));
    GIVES(ARGUMENT, hs_options_learner(options, "auto"));
    GIVES(ARGUMENT, hs_options_views(options, 1));
    GIVES(ARGUMENT, hs_options_false_accepts(options, 0.5f));
    GIVES(ARGUMENT, hs_options_weight(options, 1));
    GIVES(ARGUMENT, hs_options_max_bytes(options, 1));
    GIVES(ARGUMENT, hs_options_half(options, true));
    GIVES(ARGUMENT, hs_options_keep_samples(options, true));
    GIVES(ARGUMENT, hs_options_force(options, true));
    GIVES(ARGUMENT, hs_options_skip_bad(options, true));
    GIVES(ARGUMENT, hs_options_progress(options, never, NULL));
    SO(hs_samples_count(samples) == 0);
    /* Nothing to free. */
    hs_device_close(device);
    hs_samples_free(samples);
    hs_options_free(options);
    hs_text_free(NULL);
    SO(list == NULL && json == NULL && share == -1.0);
    SO(answer.label[0] == 7 && lesson.samples == (size_t)-1 / 255 * 7 && input.width == 0x07070707u);
}

/* Good handles, and nothing else. */
static void arguments_of(hs_device *device, hs_samples *samples, hs_options *options, const char *folder, const char *picture) {
    uint8_t pixels[12] = {0};
    float values[4] = {0};
    hs_answer answer;
    hs_samples *list = NULL;
    const size_t far = (size_t)-1;

    GIVES(ARGUMENT, hs_samples_new(NULL));
    GIVES(ARGUMENT, hs_options_new(NULL));
    GIVES(ARGUMENT, hs_samples_folder(device, NULL, &list));
    GIVES(ARGUMENT, hs_samples_folder(device, folder, NULL));
    GIVES(ARGUMENT, hs_samples_add_file(samples, NULL, "x"));
    GIVES(ARGUMENT, hs_samples_add_file(samples, picture, NULL));
    GIVES(ARGUMENT, hs_samples_add_file(samples, picture, "\xff\xfe"));
    GIVES(ARGUMENT, hs_samples_add_pixels(samples, NULL, 2, 2, 3, "x"));
    GIVES(ARGUMENT, hs_samples_add_pixels(samples, pixels, 2, 2, 3, NULL));
    GIVES(ARGUMENT, hs_samples_add_pixels(samples, pixels, 2, 2, 4, "x"));
    GIVES(LENGTH, hs_samples_add_pixels(samples, pixels, 0, 2, 3, "x"));
    GIVES(LENGTH, hs_samples_add_pixels(samples, pixels, far, far, 3, "x"));
    GIVES(LENGTH, hs_samples_add_pixels(samples, pixels, far / 3, 1, 3, "x"));
    GIVES(ARGUMENT, hs_samples_add_values(samples, NULL, 4, "x"));
    GIVES(ARGUMENT, hs_samples_add_values(samples, values, 4, NULL));
    GIVES(LENGTH, hs_samples_add_values(samples, values, far / 2, "x"));
    GIVES(MISALIGNED, hs_samples_add_values(samples, (const float *)(const void *)((const char *)values + 1), 2, "x"));
    SO(hs_samples_count(samples) == 0);
    GIVES(ARGUMENT, hs_options_learner(options, NULL));
    GIVES(ARGUMENT, hs_options_learner(options, "nothing"));
    GIVES(ARGUMENT, hs_device_predict_file(device, NULL, &answer));
    GIVES(ARGUMENT, hs_device_predict_pixels(device, NULL, 2, 2, 3, &answer));
    GIVES(ARGUMENT, hs_device_predict_pixels(device, pixels, 2, 2, 2, &answer));
    GIVES(LENGTH, hs_device_predict_pixels(device, pixels, 2, 0, 3, &answer));
    GIVES(ARGUMENT, hs_device_predict_values(device, NULL, 4, &answer));
    GIVES(ARGUMENT, hs_device_forget_class(device, NULL, NULL));
    GIVES(ARGUMENT, hs_device_forget_sample(device, NULL, NULL));
    GIVES(ARGUMENT, hs_device_rename(device, NULL, "x", NULL));
    GIVES(ARGUMENT, hs_device_rename(device, "x", NULL, NULL));
    GIVES(ARGUMENT, hs_device_relabel(device, NULL, "x", NULL));
    GIVES(ARGUMENT, hs_device_relabel(device, picture, NULL, NULL));
    GIVES(ARGUMENT, hs_device_learn(device, NULL, NULL, NULL, NULL));
    GIVES(ARGUMENT, hs_device_learn(device, samples, (const hs_options *)(const void *)samples, NULL, NULL));
    GIVES(ARGUMENT, hs_device_evaluate(device, NULL, NULL, NULL));
}

/* Calls in an order that leaves them nothing to work on. */
static void too_early(hs_device *device, hs_samples *none, const char *picture) {
    uint8_t pixels[12] = {0};
    float values[4] = {0};
    hs_answer answer;
    hs_samples *one = NULL;
    hs_options *options = NULL;
    GIVES(NO_SAMPLES, hs_device_predict_file(device, picture, &answer));
    GIVES(NO_SAMPLES, hs_device_predict_pixels(device, pixels, 2, 2, 3, &answer));
    GIVES(REQUEST, hs_device_learn(device, none, NULL, NULL, NULL));
    GIVES(NO_SAMPLES, hs_device_forget_class(device, "x", NULL));
    GIVES(NO_SAMPLES, hs_device_rename(device, "x", "y", NULL));
    GIVES(NO_SAMPLES, hs_device_evaluate(device, none, NULL, NULL));
    GIVES(NO_SAMPLES, hs_device_rollback(device, 0, NULL));
    GIVES(NO_SAMPLES, hs_device_rollback(device, 77, NULL));

    GIVES(OK, hs_samples_new(&one));
    GIVES(OK, hs_options_new(&options));
    GIVES(OK, hs_samples_add_values(one, values, 4, "few"));
    GIVES(OK, hs_samples_add_values(one, values, 3, "fewer"));
    GIVES(SAMPLE, hs_device_learn(device, one, NULL, NULL, NULL));
    hs_samples_free(one);
    GIVES(OK, hs_samples_new(&one));
    GIVES(OK, hs_samples_add_file(one, "/nowhere.png", "gone"));
    GIVES(SAMPLE, hs_device_learn(device, one, NULL, NULL, NULL));
    hs_samples_free(one);
    GIVES(OK, hs_samples_new(&one));
    GIVES(OK, hs_samples_add_pixels(one, pixels, 2, 2, 3, ""));
    GIVES(OK, hs_samples_add_pixels(one, pixels, 2, 2, 3, "named"));
    GIVES(REQUEST, hs_device_learn(device, one, NULL, NULL, NULL));
    hs_samples_free(one);
    GIVES(OK, hs_options_views(options, 999));
    GIVES(OK, hs_samples_new(&one));
    GIVES(OK, hs_samples_add_pixels(one, pixels, 2, 2, 3, "black"));
    pixels[0] = 200;
    GIVES(OK, hs_samples_add_pixels(one, pixels, 2, 2, 3, "red"));
    GIVES(REQUEST, hs_device_learn(device, one, options, NULL, NULL));
    hs_samples_free(one);
    hs_options_free(options);
}

int main(int count, char **arguments) {
    hs_device *device = NULL, *again = NULL;
    hs_samples *samples = NULL;
    hs_options *options = NULL;
    const char *pack, *state, *folder, *picture;
    if (count != 5) {
        fprintf(stderr, "usage: refused PACK STATE FOLDER PICTURE\n");
        return 2;
    }
    pack = arguments[1];
    state = arguments[2];
    folder = arguments[3];
    picture = arguments[4];
    SO(strlen(hs_last_error()) == 0);
    handles(folder, picture, NULL, NULL, NULL);

    GIVES(ARGUMENT, hs_device_open(NULL, state, 1, &device));
    GIVES(ARGUMENT, hs_device_open(pack, state, 1, NULL));
    GIVES(ARGUMENT, hs_device_open("\xff", state, 1, &device));
    GIVES(ARGUMENT, hs_device_open(pack, "\xff", 1, &device));
    GIVES(SAMPLE, hs_device_open("/nowhere.hspk", state, 1, &device));
    GIVES(PACK, hs_device_open(picture, state, 1, &device));
    SO(device == NULL);
    GIVES(OK, hs_device_open(pack, state, 1, &device));
    GIVES(OK, hs_device_open(pack, NULL, 1, &again));
    GIVES(OK, hs_samples_new(&samples));
    GIVES(OK, hs_options_new(&options));

    handles(folder, picture, samples, options, device);
    handles(folder, picture, options, device, samples);
    arguments_of(device, samples, options, folder, picture);
    too_early(device, samples, picture);
    /* Without a folder there is nothing that can be taught. */
    GIVES(REQUEST, hs_device_learn(again, samples, NULL, NULL, NULL));
    GIVES(REQUEST, hs_device_forget_all(again));

    hs_options_free(options);
    hs_samples_free(samples);
    hs_device_close(again);
    hs_device_close(device);
    printf("%d calls that were refused or empty\n", tried);
    return 0;
}
