/* A board's job in C: answer, learn, commit, open again, answer again. It runs on a host and on a microcontroller. */
#ifndef LESSON_H
#define LESSON_H

#include "headstart.h"

/* Most samples that are kept for training. */
#define LESSON_MOST 128

struct lesson {
    /* A pack that ships a head. */
    const uint8_t *pack;
    size_t pack_bytes;
    /* What `headstart-replay clips` writes. */
    const uint8_t *clips;
    /* Keeps the head. */
    hs_flash flash;
    /* Memory for the session, from a multiple of 8 on. */
    void *memory;
    size_t memory_bytes;
    /* Memory for the features of LESSON_MOST samples. */
    int8_t *features;
    /* Takes what is compared: features, answers, and the committed record. */
    void (*tell)(const void *bytes, size_t length);
};

/* Does the job. What it tells is what `headstart-replay run PACK CLIPS sgd FOLDER` writes: first.bin, and behind it second.bin. */
hs_status lesson_run(const struct lesson *lesson);

#endif
