/* The Linux face: device PACK STATE FOLDER ANSWERS. Learns the folder, and answers pictures as the command line did: each line of ANSWERS
   has a file, its most probable class, and its probability. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "headstart.h"

static void must(int so, const char *what) {
    if (!so) {
        fprintf(stderr, "device: not so: %s (%s)\n", what, hs_last_error());
        exit(1);
    }
}

static bool stop(void *context, size_t done, size_t of) {
    (void)of;
    *(size_t *)context = done;
    return false;
}

/* Gives how many there are. */
static int same_answers(const hs_device *device, const char *answers) {
    char file[512], label[HS_LABEL_BYTES], probability[32];
    int read = 0;
    FILE *from = fopen(answers, "r");
    must(from != NULL, answers);
    while (fscanf(from, "%511s %64s %31s", file, label, probability) == 3) {
        hs_answer answer;
        must(hs_device_predict_file(device, file, &answer) == HS_STATUS_OK, "the picture is answered");
        must(strcmp(answer.label, label) == 0, "with the command line's class");
        must(answer.probability == strtof(probability, NULL), "and its probability, to the bit");
        read++;
    }
    fclose(from);
    return read;
}

int main(int count, char **arguments) {
    const char *pack, *state, *folder;
    hs_device *device = NULL;
    hs_samples *samples = NULL;
    hs_options *options = NULL;
    hs_lesson lesson;
    hs_answer again;
    hs_input input;
    char *json = NULL;
    uint8_t *pixels;
    const float values[4] = {0};
    double accuracy = 0.0;
    size_t seen = 0;
    if (count != 5) {
        fprintf(stderr, "usage: device PACK STATE FOLDER ANSWERS\n");
        return 2;
    }
    pack = arguments[1];
    state = arguments[2];
    folder = arguments[3];

    must(hs_device_open("/nowhere.hspk", state, 1, &device) == HS_STATUS_SAMPLE && device == NULL, "a pack that is not there is refused");
    must(strstr(hs_last_error(), "/nowhere.hspk") != NULL, "the error names the file");
    must(hs_device_open(NULL, state, 1, &device) == HS_STATUS_ARGUMENT, "null is refused");
    must(hs_device_open(pack, state, 1, &device) == HS_STATUS_OK, "the pack opens");
    must(hs_samples_folder(device, "/nowhere", &samples) != HS_STATUS_OK, "a folder that is not there is refused");
    must(hs_samples_folder(device, folder, &samples) == HS_STATUS_OK, "the folder is listed");

    /* Stopped before it is done: nothing is changed. */
    must(hs_options_new(&options) == HS_STATUS_OK, "options are made");
    must(hs_options_learner(options, "nothing") == HS_STATUS_ARGUMENT, "a learner that is none is refused");
    must(hs_options_progress(options, stop, &seen) == HS_STATUS_OK, "a watcher is set");
    must(hs_device_learn(device, samples, options, NULL, NULL) == HS_STATUS_STOPPED, "a watcher stops the work");
    hs_options_free(options);

    must(hs_device_learn(device, samples, NULL, &lesson, &json) == HS_STATUS_OK, "the folder is learned");
    must(lesson.committed && lesson.samples == hs_samples_count(samples) && lesson.classes > 1, "all of it");
    must(json != NULL && strstr(json, "\"new_samples\"") != NULL, "the report is JSON");
    hs_text_free(json);
    must(hs_device_evaluate(device, samples, &accuracy, NULL) == HS_STATUS_OK && accuracy > 0.5, "what was learned is known");
    must(hs_device_status(device, &json) == HS_STATUS_OK && strstr(json, "\"classes\"") != NULL, "the device tells its state");
    hs_text_free(json);
    must(hs_device_history(device, &json) == HS_STATUS_OK && strstr(json, "\"commits\"") != NULL, "and its commits");
    hs_text_free(json);

    must(same_answers(device, arguments[4]) > 10, "there are answers to compare");
    must(hs_device_input(device, &input) == HS_STATUS_OK && input.channels == 3, "the input is known");
    pixels = malloc((size_t)input.width * input.height * 3);
    must(pixels != NULL, "there is memory");
    memset(pixels, 90, (size_t)input.width * input.height * 3);
    must(hs_device_predict_pixels(device, pixels, input.width, input.height, 3, &again) == HS_STATUS_OK, "pixels are answered");
    must(hs_device_predict_pixels(device, pixels, input.width, input.height, 2, &again) == HS_STATUS_ARGUMENT, "two channels are not");
    must(hs_device_predict_pixels(device, NULL, 1, 1, 3, &again) == HS_STATUS_ARGUMENT, "no pixels are not");
    must(hs_device_predict_values(device, values, 4, &again) == HS_STATUS_SAMPLE, "too few values are not");
    must(hs_device_mask_pixels(device, pixels, input.width, input.height, 3, pixels) == HS_STATUS_REQUEST, "this pack has no masks");
    free(pixels);
    must(hs_device_forget_class(device, "nobody", NULL) == HS_STATUS_REQUEST, "nobody is not forgotten");
    hs_samples_free(samples);
    hs_device_close(device);
    hs_device_close(NULL);
    return 0;
}
