/* Two threads answer while one learns: threads PACK STATE FOLDER PICTURE. Every answer is of a head that was committed. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "headstart.h"

struct asking {
    const hs_device *device;
    const char *picture;
    pthread_mutex_t lock;
    bool learned;
};

static bool is_learned(struct asking *asking) {
    bool learned;
    pthread_mutex_lock(&asking->lock);
    learned = asking->learned;
    pthread_mutex_unlock(&asking->lock);
    return learned;
}

/* Asks until the lesson is over, and ten times more. Gives null where every call was answered. */
static void *ask(void *given) {
    struct asking *asking = given;
    int more = 10;
    while (more > 0) {
        hs_answer answer;
        more -= is_learned(asking) ? 1 : 0;
        if (hs_device_predict_file(asking->device, asking->picture, &answer) != HS_STATUS_OK || strlen(answer.label) == 0) {
            fprintf(stderr, "threads: %s\n", hs_last_error());
            return given;
        }
    }
    return NULL;
}

int main(int count, char **arguments) {
    hs_device *device = NULL;
    hs_samples *samples = NULL;
    hs_lesson lesson;
    pthread_t threads[2];
    struct asking asking;
    hs_status learned;
    int at, failed = 0;
    if (count != 5) {
        fprintf(stderr, "usage: threads PACK STATE FOLDER PICTURE\n");
        return 2;
    }
    if (hs_device_open(arguments[1], arguments[2], 2, &device) != HS_STATUS_OK ||
        hs_samples_folder(device, arguments[3], &samples) != HS_STATUS_OK) {
        fprintf(stderr, "threads: %s\n", hs_last_error());
        return 1;
    }
    asking.device = device;
    asking.picture = arguments[4];
    asking.learned = false;
    pthread_mutex_init(&asking.lock, NULL);
    for (at = 0; at < 2; at++) {
        failed |= pthread_create(&threads[at], NULL, ask, &asking) != 0;
    }
    learned = hs_device_learn(device, samples, NULL, &lesson, NULL);
    pthread_mutex_lock(&asking.lock);
    asking.learned = true;
    pthread_mutex_unlock(&asking.lock);
    for (at = 0; at < 2; at++) {
        void *wrong = NULL;
        pthread_join(threads[at], &wrong);
        failed |= wrong != NULL;
    }
    failed |= learned != HS_STATUS_OK || !lesson.committed;
    pthread_mutex_destroy(&asking.lock);
    hs_samples_free(samples);
    hs_device_close(device);
    return failed;
}
