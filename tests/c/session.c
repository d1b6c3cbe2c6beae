/* The firmware face on Linux: session PACK CLIPS OUT. First what is refused, then the lesson, whose bytes are written to OUT. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lesson.h"

#define FLASH_BYTES (48u << 10)
#define ERASE_BYTES 4096u

static FILE *out;
static uint8_t flash_memory[FLASH_BYTES];
static int broken;

static void must(int so, const char *what) {
    if (!so) {
        fprintf(stderr, "session: not so: %s\n", what);
        exit(1);
    }
}

static void tell(const void *bytes, size_t length) { must(fwrite(bytes, 1, length, out) == length, "the output is written"); }

/* Memory that behaves as NOR flash does: writing clears bits of what was erased. */
static int32_t flash_read(void *context, uint32_t offset, uint8_t *bytes, size_t length) {
    (void)context;
    if (broken || offset > FLASH_BYTES || length > FLASH_BYTES - offset) {
        return -1;
    }
    memcpy(bytes, flash_memory + offset, length);
    return 0;
}

static int32_t flash_write(void *context, uint32_t offset, const uint8_t *bytes, size_t length) {
    size_t at;
    (void)context;
    if (broken || offset > FLASH_BYTES || length > FLASH_BYTES - offset) {
        return -1;
    }
    for (at = 0; at < length; at++) {
        if (flash_memory[offset + at] != 0xFF) {
            return -2;
        }
        flash_memory[offset + at] = bytes[at];
    }
    return 0;
}

static int32_t flash_erase(void *context, uint32_t offset, uint32_t length) {
    (void)context;
    if (broken || offset > FLASH_BYTES || length > FLASH_BYTES - offset || offset % ERASE_BYTES || length % ERASE_BYTES) {
        return -1;
    }
    memset(flash_memory + offset, 0xFF, length);
    return 0;
}

static uint8_t *file(const char *path, size_t *length) {
    FILE *from = fopen(path, "rb");
    uint8_t *bytes;
    long end;
    must(from != NULL, path);
    must(fseek(from, 0, SEEK_END) == 0, "the file has an end");
    end = ftell(from);
    must(end > 0 && fseek(from, 0, SEEK_SET) == 0, "the file has bytes");
    *length = (size_t)end;
    bytes = malloc(*length);
    must(bytes != NULL && fread(bytes, 1, *length, from) == *length, "the file is read");
    fclose(from);
    return bytes;
}

/* No session at all, one that was closed, and a pack in its place. */
static void no_session(hs_session *session, const int8_t *input, size_t bytes) {
    const int8_t *features = NULL;
    const uint8_t *record = NULL;
    uint16_t classes[1] = {0};
    size_t count = 77;
    hs_answer answer;
    must(hs_session_learn(session, input, bytes, "0", NULL) == HS_STATUS_ARGUMENT, "nothing is learned without a session");
    must(hs_session_predict(session, input, bytes, &answer) == HS_STATUS_ARGUMENT, "or answered");
    must(hs_session_features(session, &features, &count) == HS_STATUS_ARGUMENT && features == NULL, "or has features");
    must(hs_session_rehearse(session, input, classes, 1, NULL) == HS_STATUS_ARGUMENT, "or is trained");
    must(hs_session_solve(session, input, classes, 1) == HS_STATUS_ARGUMENT, "or solved");
    must(hs_session_imprint(session, input, classes, 1) == HS_STATUS_ARGUMENT, "or imprinted");
    must(hs_session_classes(session) == 0, "or has classes");
    must(hs_session_class(session, 0, NULL, NULL) == HS_STATUS_ARGUMENT, "or tells one");
    must(hs_session_class_of(session, "0", classes) == HS_STATUS_ARGUMENT, "or finds one");
    must(hs_session_forget(session, "0") == HS_STATUS_ARGUMENT, "or forgets one");
    must(hs_session_unknown_below(session, 0.5f) == HS_STATUS_ARGUMENT, "or has a threshold");
    must(hs_session_commit(session) == HS_STATUS_ARGUMENT, "or commits");
    must(hs_session_revert(session) == HS_STATUS_ARGUMENT, "or goes back");
    must(hs_session_committed(session, &record, &count) == HS_STATUS_ARGUMENT && record == NULL && count == 77, "or has a record");
    hs_session_close(session);
}

/* No pack at all, and a session in its place. */
static void no_pack(const hs_pack *pack, const struct lesson *lesson, void *memory) {
    hs_session *session = NULL;
    hs_input shape;
    int8_t input[4];
    uint8_t pixels[12] = {0};
    float values[4] = {0};
    must(hs_pack_session_bytes(pack) == 0 && hs_pack_record_bytes(pack) == 0, "no pack takes no memory");
    must(hs_pack_max_classes(pack) == 0 && hs_pack_features(pack) == 0, "and has no classes");
    must(hs_pack_input(pack, &shape) == HS_STATUS_ARGUMENT, "or input");
    must(hs_pack_picture(pack, pixels, 2, 2, 3, input, 4) == HS_STATUS_ARGUMENT, "or takes pictures");
    must(hs_pack_values(pack, values, 4, input, 4) == HS_STATUS_ARGUMENT, "or values");
    must(hs_session_open(pack, &lesson->flash, memory, 256u << 10, &session) == HS_STATUS_ARGUMENT, "or has sessions");
    must(hs_session_format(pack, &lesson->flash, memory, 256u << 10, &session) == HS_STATUS_ARGUMENT && session == NULL, "or new ones");
}

/* What kept samples can be wrong in. */
static void kept(hs_session *session, size_t features) {
    int8_t *rows = calloc(2, features);
    uint16_t classes[2] = {0, 1};
    const uint16_t none[2] = {0, 9999};
    must(rows != NULL, "there is memory");
    must(hs_session_rehearse(session, rows, classes, 0, NULL) == HS_STATUS_NO_SAMPLES, "no samples train nothing");
    must(hs_session_solve(session, NULL, NULL, 0) == HS_STATUS_NO_SAMPLES, "and solve nothing");
    must(hs_session_imprint(session, NULL, NULL, 0) == HS_STATUS_NO_SAMPLES, "and imprint nothing");
    must(hs_session_rehearse(session, NULL, classes, 2, NULL) == HS_STATUS_ARGUMENT, "features are not null");
    must(hs_session_solve(session, rows, NULL, 2) == HS_STATUS_ARGUMENT, "nor classes");
    must(hs_session_rehearse(session, rows, none, 2, NULL) == HS_STATUS_NO_CLASS, "a class that is none is refused");
    must(hs_session_imprint(session, rows, none, 2) == HS_STATUS_NO_CLASS, "by all");
    must(hs_session_rehearse(session, rows, classes, (size_t)-1, NULL) == HS_STATUS_LENGTH, "nobody has so many samples");
    must(hs_session_imprint(session, rows, classes, (size_t)-1 / features) == HS_STATUS_LENGTH, "or memory for them");
    free(rows);
}

/* What a caller can do wrong is refused, and says why. */
static void refusals(const struct lesson *lesson) {
    static uint64_t opened[HS_PACK_BYTES / 8];
    hs_pack *pack = NULL;
    hs_session *session = NULL;
    hs_flash flash = lesson->flash;
    hs_answer answer;
    hs_input shape;
    size_t bytes;
    int8_t *input;
    uint8_t *damaged = malloc(lesson->pack_bytes);
    void *other = malloc(256u << 10);
    float values[4] = {0};
    uint8_t pixels[12] = {200, 40, 40, 200, 40, 40, 200, 40, 40, 200, 40, 40};

    must(damaged != NULL && other != NULL, "there is memory");
    memcpy(damaged, lesson->pack, lesson->pack_bytes);
    damaged[lesson->pack_bytes / 2] ^= 1;
    must(hs_pack_open(damaged, lesson->pack_bytes, opened, sizeof opened, &pack) == HS_STATUS_PACK, "one bit of a pack is seen");
    must(hs_pack_open(lesson->pack, lesson->pack_bytes - 1, opened, sizeof opened, &pack) == HS_STATUS_PACK, "a short pack is refused");
    must(hs_pack_open(lesson->pack, 0, opened, sizeof opened, &pack) == HS_STATUS_PACK, "nothing is no pack");
    must(hs_pack_open(lesson->pack, (size_t)-1, opened, sizeof opened, &pack) == HS_STATUS_LENGTH, "an endless one is refused");
    must(hs_pack_open(lesson->pack, lesson->pack_bytes, NULL, 512, &pack) == HS_STATUS_ARGUMENT, "memory is not null");
    must(hs_pack_open(lesson->pack, lesson->pack_bytes, (char *)opened + 1, 511, &pack) != HS_STATUS_OK, "or odd");
    must(hs_pack_open(lesson->pack, lesson->pack_bytes, opened, sizeof opened, NULL) == HS_STATUS_ARGUMENT, "a handle has a place");
    must(hs_pack_length(NULL, 24) == 0 && hs_pack_length(lesson->pack, 23) == 0, "without a header there is no length");
    must(hs_pack_open(NULL, 100, opened, sizeof opened, &pack) == HS_STATUS_ARGUMENT, "null is refused");
    must(hs_pack_open(lesson->pack, lesson->pack_bytes, opened, 8, &pack) == HS_STATUS_LENGTH, "little memory is refused");
    must(pack == NULL, "a refused call writes nothing");
    must(hs_pack_length(lesson->pack, 24) == lesson->pack_bytes, "a pack tells its length");
    must(hs_pack_length((const uint8_t *)"no pack at all, really!!", 24) == 0, "what is none has none");
    must(hs_pack_open(lesson->pack, lesson->pack_bytes, opened, sizeof opened, &pack) == HS_STATUS_OK, "the pack opens");
    free(damaged);

    bytes = hs_pack_session_bytes(pack);
    must(bytes > 0 && bytes <= lesson->memory_bytes, "the pack plans memory");
    must(hs_session_open(pack, &flash, lesson->memory, bytes - 1, &session) == HS_STATUS_LENGTH, "a byte too little is refused");
    must(hs_session_open(pack, &flash, (char *)lesson->memory + 4, bytes, &session) == HS_STATUS_MISALIGNED, "alignment is checked");
    must(hs_session_open(NULL, &flash, lesson->memory, bytes, &session) == HS_STATUS_ARGUMENT, "no pack is refused");
    must(hs_session_open(pack, NULL, lesson->memory, bytes, &session) == HS_STATUS_ARGUMENT, "no flash is refused");
    must(hs_session_open(pack, &flash, NULL, bytes, &session) == HS_STATUS_ARGUMENT, "no memory is refused");
    must(hs_session_open(pack, &flash, lesson->memory, bytes, NULL) == HS_STATUS_ARGUMENT, "no place is refused");
    flash.slots = 1;
    must(hs_session_open(pack, &flash, lesson->memory, bytes, &session) == HS_STATUS_REGION, "one slot is refused");
    flash = lesson->flash;
    flash.read = NULL;
    must(hs_session_open(pack, &flash, lesson->memory, bytes, &session) == HS_STATUS_FLASH, "a function that is not there has failed");
    broken = 1;
    must(hs_session_open(pack, &lesson->flash, lesson->memory, bytes, &session) == HS_STATUS_FLASH, "a broken flash is told");
    broken = 0;
    must(session == NULL, "nothing was opened");
    must(hs_session_open(pack, &lesson->flash, lesson->memory, bytes, &session) == HS_STATUS_OK, "the session opens");

    must(hs_pack_input(pack, &shape) == HS_STATUS_OK, "the pack tells its input");
    bytes = (size_t)shape.height * shape.width * shape.channels;
    input = malloc(bytes);
    must(input != NULL, "there is memory");
    must(hs_pack_picture(pack, pixels, 2, 2, 3, input, bytes - 1) == HS_STATUS_LENGTH, "a short input is refused");
    must(hs_pack_picture(pack, pixels, 0, 2, 3, input, bytes) == HS_STATUS_LENGTH, "no pixels are refused");
    must(hs_pack_picture(pack, pixels, 2, 2, 3, input, bytes) == HS_STATUS_OK, "a picture becomes an input");
    must(hs_session_learn(session, input, bytes - 1, "0", NULL) == HS_STATUS_LENGTH, "a short input is not learned");
    must(hs_session_learn(session, input, bytes, "", NULL) == HS_STATUS_LABEL, "no name is no class");
    must(hs_session_learn(session, input, bytes, "one more", NULL) == HS_STATUS_TOO_MANY_CLASSES, "the pack plans ten classes");
    must(hs_session_learn(session, input, bytes, "\xff", NULL) == HS_STATUS_ARGUMENT, "a name is UTF-8");
    must(hs_session_learn(session, input, bytes, NULL, NULL) == HS_STATUS_ARGUMENT, "a name is not null");
    must(hs_session_forget(session, "nobody") == HS_STATUS_NO_CLASS, "nobody is not forgotten");
    must(hs_session_unknown_below(session, 2.0f) == HS_STATUS_ARGUMENT, "a probability is at most 1");
    must(hs_session_predict(session, input, bytes, NULL) == HS_STATUS_OK, "an answer may be left out");
    must(hs_session_predict(session, input, bytes, &answer) == HS_STATUS_OK, "the head that is shipped answers");
    must(answer.probability > 0.0f && answer.probability <= 1.0f && strlen(answer.label) == 1, "the answer is a digit");
    must(hs_session_predict(session, NULL, bytes, &answer) == HS_STATUS_ARGUMENT, "an input is not null");
    must(hs_session_predict(session, input, (size_t)-1, &answer) == HS_STATUS_LENGTH, "or endless");
    must(hs_session_class(session, 9999, NULL, NULL) == HS_STATUS_NO_CLASS, "there are not so many classes");
    must(hs_session_class(session, 0, NULL, NULL) == HS_STATUS_OK, "what a class is may be left out");
    must(hs_session_class_of(session, NULL, NULL) == HS_STATUS_ARGUMENT, "a class has a name");
    must(hs_session_forget(session, NULL) == HS_STATUS_ARGUMENT, "also to be forgotten");
    must(hs_session_features(session, NULL, NULL) == HS_STATUS_OK, "features may be left out");
    must(hs_session_committed(session, NULL, NULL) == HS_STATUS_OK, "and the record");
    kept(session, hs_pack_features(pack));
    broken = 1;
    must(hs_session_commit(session) == HS_STATUS_FLASH, "a commit that failed says so");
    broken = 0;
    no_pack(NULL, lesson, other);
    no_pack((const hs_pack *)(const void *)session, lesson, other);
    no_session(NULL, input, bytes);
    no_session((hs_session *)(void *)opened, input, bytes);
    hs_session_close(session);
    no_session(session, input, bytes);
    must(hs_session_format(pack, &lesson->flash, lesson->memory, lesson->memory_bytes, &session) == HS_STATUS_OK, "it opens again");
    broken = 1;
    must(hs_session_open(pack, &lesson->flash, lesson->memory, lesson->memory_bytes, &session) == HS_STATUS_FLASH, "a broken flash is told");
    broken = 0;
    no_session(session, input, bytes);
    must(hs_pack_picture(pack, NULL, 2, 2, 3, input, bytes) == HS_STATUS_ARGUMENT, "a picture is not null");
    must(hs_pack_picture(pack, pixels, 2, 2, 3, NULL, bytes) == HS_STATUS_ARGUMENT, "nor its input");
    must(hs_pack_picture(pack, pixels, (size_t)-1, 2, 3, input, bytes) == HS_STATUS_LENGTH, "nor endless");
    must(hs_pack_picture(pack, pixels, 2, 2, 3, input, (size_t)-1) == HS_STATUS_LENGTH, "nor into endless memory");
    must(hs_pack_values(pack, NULL, bytes, input, bytes) == HS_STATUS_ARGUMENT, "values are not null");
    must(hs_pack_values(pack, values, 4, input, bytes) == HS_STATUS_LENGTH, "and as many as the input has");
    must(hs_pack_input(pack, NULL) == HS_STATUS_OK, "the input may be left out");
    free(input);
    free(other);
    must(strcmp(hs_status_text(HS_STATUS_OK), "done") == 0 && strlen(hs_status_text(12345)) > 0, "every status has a text");
}

int main(int count, char **arguments) {
    static uint64_t memory[(256u << 10) / 8];
    struct lesson lesson;
    size_t clips_bytes = 0;
    uint8_t *pack, *clips;
    hs_status status;
    if (count != 4) {
        fprintf(stderr, "usage: session PACK CLIPS OUT\n");
        return 2;
    }
    pack = file(arguments[1], &lesson.pack_bytes);
    clips = file(arguments[2], &clips_bytes);
    out = fopen(arguments[3], "wb");
    must(out != NULL, arguments[3]);
    lesson.pack = pack;
    lesson.clips = clips;
    lesson.memory = memory;
    lesson.memory_bytes = sizeof memory;
    memset(&lesson.flash, 0, sizeof lesson.flash);
    lesson.flash.read = flash_read;
    lesson.flash.write = flash_write;
    lesson.flash.erase = flash_erase;
    lesson.flash.capacity = FLASH_BYTES;
    lesson.flash.read_bytes = 1;
    lesson.flash.write_bytes = 4;
    lesson.flash.erase_bytes = ERASE_BYTES;
    lesson.flash.slot_bytes = FLASH_BYTES / 2;
    lesson.flash.slots = 2;
    lesson.flash.erased = 0xFF;
    lesson.features = malloc(LESSON_MOST * 4096);
    must(lesson.features != NULL, "there is memory");
    lesson.tell = tell;
    memset(flash_memory, 0xFF, sizeof flash_memory);
    refusals(&lesson);
    memset(flash_memory, 0xFF, sizeof flash_memory);
    status = lesson_run(&lesson);
    if (status != HS_STATUS_OK) {
        fprintf(stderr, "session: %s\n", hs_status_text(status));
    }
    must(fclose(out) == 0, "the output is written");
    free(lesson.features);
    free(clips);
    free(pack);
    return status == HS_STATUS_OK ? 0 : 1;
}
