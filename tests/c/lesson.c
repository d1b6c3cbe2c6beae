#include "lesson.h"

struct clips {
    uint32_t learn;
    uint32_t measure;
    uint32_t input_bytes;
    const uint8_t *labels;
    const int8_t *inputs;
};

static uint32_t number(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static struct clips clips_at(const uint8_t *bytes) {
    struct clips clips;
    clips.learn = number(bytes + 4);
    clips.measure = number(bytes + 8);
    clips.input_bytes = number(bytes + 12);
    clips.labels = bytes + 16;
    clips.inputs = (const int8_t *)(clips.labels + clips.learn + clips.measure);
    return clips;
}

/* Without a C library, which firmware may not have. */
static void copy(void *to, const void *from, size_t length) {
    size_t at;
    for (at = 0; at < length; at++) {
        ((uint8_t *)to)[at] = ((const uint8_t *)from)[at];
    }
}

static const int8_t *input(const struct clips *clips, uint32_t at) {
    return clips->inputs + (size_t)at * clips->input_bytes;
}

/* The label of a clip: a digit. */
static void label(const struct clips *clips, uint32_t at, char text[2]) {
    text[0] = (char)('0' + clips->labels[at]);
    text[1] = 0;
}

static hs_status tell_features(const struct lesson *lesson, const hs_session *session) {
    const int8_t *features = NULL;
    size_t count = 0;
    hs_status status = hs_session_features(session, &features, &count);
    if (status == HS_STATUS_OK) {
        lesson->tell(features, count);
    }
    return status;
}

static hs_status measure(const struct lesson *lesson, hs_session *session, const struct clips *clips) {
    uint32_t at;
    for (at = clips->learn; at < clips->learn + clips->measure; at++) {
        hs_answer answer;
        char shown[2];
        uint8_t told[8];
        hs_status status = hs_session_predict(session, input(clips, at), clips->input_bytes, &answer);
        if (status != HS_STATUS_OK) {
            return status;
        }
        if ((status = tell_features(lesson, session)) != HS_STATUS_OK) {
            return status;
        }
        label(clips, at, shown);
        told[0] = (uint8_t)answer.class_index;
        told[1] = (uint8_t)(answer.class_index >> 8);
        copy(told + 2, &answer.probability, 4);
        told[6] = (uint8_t)!answer.unknown;
        told[7] = (uint8_t)(answer.label[0] == shown[0] && answer.label[1] == 0);
        lesson->tell(told, sizeof told);
    }
    return HS_STATUS_OK;
}

/* Learns one clip after another, keeps their features, and trains on all of them. */
static hs_status learn(const struct lesson *lesson, hs_session *session, const struct clips *clips) {
    static uint16_t classes[LESSON_MOST];
    uint32_t at;
    if (clips->learn > LESSON_MOST) {
        return HS_STATUS_LENGTH;
    }
    for (at = 0; at < clips->learn; at++) {
        const int8_t *features = NULL;
        size_t count = 0;
        char shown[2];
        hs_status status;
        label(clips, at, shown);
        status = hs_session_learn(session, input(clips, at), clips->input_bytes, shown, NULL);
        if (status != HS_STATUS_OK) {
            return status;
        }
        if ((status = hs_session_class_of(session, shown, &classes[at])) != HS_STATUS_OK) {
            return status;
        }
        if ((status = hs_session_features(session, &features, &count)) != HS_STATUS_OK) {
            return status;
        }
        copy(lesson->features + at * count, features, count);
        lesson->tell(features, count);
    }
    return hs_session_rehearse(session, lesson->features, classes, clips->learn, NULL);
}

hs_status lesson_run(const struct lesson *lesson) {
    static uint64_t opened[HS_PACK_BYTES / 8];
    struct clips clips = clips_at(lesson->clips);
    hs_pack *pack = NULL;
    hs_session *session = NULL;
    const uint8_t *record = NULL;
    size_t length = 0;
    hs_status status = hs_pack_open(lesson->pack, lesson->pack_bytes, opened, sizeof opened, &pack);
    if (status != HS_STATUS_OK) {
        return status;
    }
    status = hs_session_open(pack, &lesson->flash, lesson->memory, lesson->memory_bytes, &session);
    if (status != HS_STATUS_OK) {
        return status;
    }
    if ((status = measure(lesson, session, &clips)) != HS_STATUS_OK) {
        return status;
    }
    if ((status = learn(lesson, session, &clips)) != HS_STATUS_OK) {
        return status;
    }
    if ((status = hs_session_commit(session)) != HS_STATUS_OK) {
        return status;
    }
    hs_session_close(session);

    status = hs_session_open(pack, &lesson->flash, lesson->memory, lesson->memory_bytes, &session);
    if (status != HS_STATUS_OK) {
        return status;
    }
    if ((status = hs_session_committed(session, &record, &length)) != HS_STATUS_OK) {
        return status;
    }
    lesson->tell(record, length);
    status = measure(lesson, session, &clips);
    hs_session_close(session);
    return status;
}
