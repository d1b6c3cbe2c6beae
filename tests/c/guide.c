#include <stdio.h>

#include "headstart.h"

/* guide PACK STATE PHOTOS PICTURE: learns a folder of photos, one folder a class, and answers a picture. */
int main(int count, char **arguments) {
    hs_device *device = NULL;
    hs_samples *photos = NULL;
    hs_lesson lesson;
    hs_answer answer;
    hs_status status;
    if (count != 5) {
        return 2;
    }
    status = hs_device_open(arguments[1], arguments[2], 0, &device);
    if (status == HS_STATUS_OK) {
        status = hs_samples_folder(device, arguments[3], &photos);
    }
    if (status == HS_STATUS_OK) {
        status = hs_device_learn(device, photos, NULL, &lesson, NULL);
    }
    if (status == HS_STATUS_OK) {
        printf("%s from %u samples\n", lesson.committed ? "learned" : "not learned", (unsigned)lesson.samples);
        status = hs_device_predict_file(device, arguments[4], &answer);
    }
    if (status == HS_STATUS_OK) {
        printf("%s (%.0f %%)\n", answer.unknown ? "unknown" : answer.label, 100.0 * answer.probability);
    } else {
        fprintf(stderr, "%s\n", hs_last_error());
    }
    hs_samples_free(photos);
    hs_device_close(device);
    return status == HS_STATUS_OK ? 0 : 1;
}
