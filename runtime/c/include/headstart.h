/*
 * Headstart: runs a frozen, quantised network, and trains its head on the device that uses it.
 *
 * Two faces. hs_session_* is for firmware: it works in the caller's memory, takes no heap and no operating system, and keeps what was
 * learned in flash through three functions of the caller. hs_device_* is for Linux: a pack and a folder of what was learned.
 *
 * Every function that can fail gives a status, HS_STATUS_OK or the reason. After a failure nothing was written to what pointers lead to,
 * unless it is said. Texts are UTF-8 and end with a zero byte. Pointers that are given are borrowed for the call, unless it is said;
 * what is filled does not overlap what is read. A handle that is null, of another kind, or of a session that was closed, gives
 * HS_STATUS_ARGUMENT; one that was freed must not be used again.
 *
 * This file is made by cbindgen; change the sources instead.
 */

#ifndef HEADSTART_H
#define HEADSTART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes of a class's name at most, its zero byte among them.
#define HS_LABEL_BYTES 65

// Bytes of memory that an open pack takes, beside the pack itself.
#define HS_PACK_BYTES 512

// How a call ended. New reasons may come; what is 0 has worked.
enum hs_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It was done.
  HS_STATUS_OK = 0,
  // The caller: a pointer is null, a text is not UTF-8, or a number is out of range.
  HS_STATUS_ARGUMENT = 1,
  // The caller: memory or an input has another length than it must have.
  HS_STATUS_LENGTH = 2,
  // The caller: memory does not start at the multiple that it must.
  HS_STATUS_MISALIGNED = 3,
  // The caller: the class's name is empty, longer than 64 bytes, or has control characters.
  HS_STATUS_LABEL = 4,
  // The caller: the pack plans no memory for one class more.
  HS_STATUS_TOO_MANY_CLASSES = 5,
  // The caller: there is nothing to learn from or to answer with yet.
  HS_STATUS_NO_SAMPLES = 6,
  // The caller: a sample's class is none of the head's, or there is no class of that name.
  HS_STATUS_NO_CLASS = 7,
  // The pack: it is none, or was cut short, changed or damaged.
  HS_STATUS_PACK = 8,
  // The pack, head or state: its format is newer than this library. Update the library.
  HS_STATUS_NEWER = 9,
  // The pack: it keeps a trainable tail, which a session does not run.
  HS_STATUS_TAIL = 10,
  // The pack: it is not signed, or not by a key that is trusted, for another family, or too old.
  HS_STATUS_UNTRUSTED = 11,
  // The head: it was learned on another backbone. Use that one's pack, or begin anew.
  HS_STATUS_OTHER_BACKBONE = 12,
  // The head: its record breaks a rule of the format.
  HS_STATUS_HEAD = 13,
  // Learning diverged, or a system of equations could not be solved. Open the session anew.
  HS_STATUS_DIVERGED = 14,
  // The flash: the caller's function said that it failed.
  HS_STATUS_FLASH = 15,
  // The flash: its sizes are not supported, or the region does not fit them.
  HS_STATUS_REGION = 16,
  // The flash: what was committed can no longer be read.
  HS_STATUS_DAMAGED = 17,
  // The flash: what was written does not read back. It is worn out or defective.
  HS_STATUS_WORN = 18,
  // The flash: the record is longer than a slot holds. Use larger slots.
  HS_STATUS_TOO_LONG = 19,
  // A sample: a file or a picture is not what the pack takes.
  HS_STATUS_SAMPLE = 20,
  // The state folder: it holds something that is refused, or cannot take what would come.
  HS_STATUS_STATE = 21,
  // The caller: this pack, state or library does not offer what was asked for.
  HS_STATUS_REQUEST = 22,
  // Training made no head of these samples.
  HS_STATUS_TRAINING = 23,
  // The machine: reading, writing or memory failed.
  HS_STATUS_MACHINE = 24,
  // The machine: another process changes the state folder. Try again.
  HS_STATUS_BUSY = 25,
  // The progress function asked to stop. Nothing was changed.
  HS_STATUS_STOPPED = 26,
  // The library panicked, which is a defect of it. Close what the call worked on.
  HS_STATUS_PANIC = 27,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hs_status hs_status;
#else
typedef int32_t hs_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A verified pack. It lives in the caller's memory and needs no closing.
typedef struct hs_pack hs_pack;

// A session. It lives in the caller's memory. One thread uses it at a time.
typedef struct hs_session hs_session;

// A pack and what was learned with it. Threads share it: answers go on, with the head that was committed last, while one of them
// learns.
typedef struct hs_device hs_device;

// How a device learns. What is not set is as it suits most, or as the state was learned before. One thread uses it at a time.
typedef struct hs_options hs_options;

// A list of samples with what each of them shows. One thread uses it at a time.
typedef struct hs_samples hs_samples;

// What a pack takes as input.
typedef struct hs_input {
  // Rows of the model's input.
  uint32_t height;
  // Columns.
  uint32_t width;
  // Channels: 1 or 3 where pictures are fed.
  uint32_t channels;
  // Whether the model's own order is `[channels][height][width]` instead of `[height][width][channels]`.
  bool channels_first;
} hs_input;

// A flash, and the part of it that keeps heads. It is copied; what `context` leads to stays the caller's.
//
// A head is kept in slots, which commits go round: a power cut at any instant leaves the last head that was committed, or the new one.
// The functions return 0, or any other number where the driver failed. They return when what they did is in the memory cells.
// They must neither call this library nor unwind.
typedef struct hs_flash {
  // Given to each function as it is; may be null.
  void *context;
  // Fills `bytes` from `offset`, both in multiples of `read_bytes`.
  int32_t (*read)(void *context, uint32_t offset, uint8_t *bytes, size_t length);
  // Writes erased words from `offset`, both in multiples of `write_bytes`.
  int32_t (*write)(void *context, uint32_t offset, const uint8_t *bytes, size_t length);
  // Erases `length` bytes from `offset`, both in multiples of `erase_bytes`.
  int32_t (*erase)(void *context, uint32_t offset, uint32_t length);
  // Bytes of the whole flash.
  uint32_t capacity;
  // The smallest read; divides `write_bytes`.
  uint32_t read_bytes;
  // The smallest write: a power of two, 1 to 256.
  uint32_t write_bytes;
  // The smallest erase: a multiple of `write_bytes`, 512 to 131072.
  uint32_t erase_bytes;
  // Where the slots start, a multiple of `erase_bytes`. With `slot_bytes` and `slots` it is fixed for a product: heads are found
  // only with those that they were committed with.
  uint32_t region_start;
  // Bytes of a slot, a multiple of `erase_bytes`: at least `hs_pack_record_bytes` and 512 more.
  uint32_t slot_bytes;
  // How many slots there are, 2 at least. Wear is spread evenly over them.
  uint16_t slots;
  // What an erased byte reads as: 0xFF, or 0x00 on some chips.
  uint8_t erased;
} hs_flash;

// The answer to one sample.
typedef struct hs_answer {
  // The most probable class, also where it is unknown. Empty where the pack answers a class for each place.
  char label[HS_LABEL_BYTES];
  // Whether the probability is below the head's threshold: the sample is of none of the classes, or hard to tell.
  bool unknown;
  // The class's number, in the order in which classes were learned.
  uint16_t class_index;
  // The probability of that class, 0 to 1.
  float probability;
} hs_answer;

// Hears of long work: `done` of `of` steps, where `of` is 0 while it is not known. Gives false to stop, and then nothing is changed. It
// is called from the threads that do the work, several at once, must not call this library with the same device, and must not unwind.
typedef bool (*hs_progress)(void *context, size_t done, size_t of);

// What learning came to.
typedef struct hs_lesson {
  // Whether what was learned answers from now on. If not, it answers what was known before worse, and the head before still answers.
  bool committed;
  // Samples that the head was learned from, those of earlier calls among them.
  size_t samples;
  // Samples that were not known before.
  size_t new_samples;
  // The classes that are known now.
  size_t classes;
  // The share of held-out samples that is answered rightly, 0 to 1; not a number where none could be held out.
  double held_out_accuracy;
} hs_lesson;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Gives what a status means: English, static, never null.
const char *hs_status_text(int32_t status);

// Gives the length in bytes of the pack that begins at `start`, of which the first 24 bytes at least are there: for a pack that was
// flashed with room behind it. 0 where no pack begins.
size_t hs_pack_length(const uint8_t *start,
                      size_t length);

// Verifies a pack and opens it where it lies: nothing of it is copied.
//
// `bytes` are exactly the pack, and stay as they are while the pack is used. `memory` is `HS_PACK_BYTES`, starts at a multiple of 8,
// and belongs to the pack from then on. `pack` is set to a handle inside it.
//
// `HS_STATUS_PACK`, `HS_STATUS_NEWER`, `HS_STATUS_LENGTH` and `HS_STATUS_MISALIGNED` for `memory`.
hs_status hs_pack_open(const uint8_t *bytes,
                       size_t length,
                       void *memory,
                       size_t memory_bytes,
                       struct hs_pack **pack);

// Gives the bytes of memory that `hs_session_open` takes for this pack; 0 without a pack.
size_t hs_pack_session_bytes(const struct hs_pack *pack);

// Gives the bytes of the longest head that a session of this pack commits; 0 without a pack.
uint32_t hs_pack_record_bytes(const struct hs_pack *pack);

// Gives the most classes that a head of this pack may have; 0 without a pack.
uint32_t hs_pack_max_classes(const struct hs_pack *pack);

// Gives the features of a sample, in bytes; 0 without a pack.
size_t hs_pack_features(const struct hs_pack *pack);

// Gives the shape of the input. An input is `height * width * channels` bytes, int8, `[height][width][channels]`.
hs_status hs_pack_input(const struct hs_pack *pack,
                        struct hs_input *input);

// Makes an input of a picture: resized, normalised and quantised as on every other machine.
//
// `pixels` are `height` rows of `width` pixels of `channels` bytes, 1 (grey) or 3 (red, green, blue), without padding. `input` has
// `input_bytes`, as many as `hs_pack_input` says, and is filled.
//
// `HS_STATUS_LENGTH` for another length of `input`, or a picture without pixels; then `input` holds anything.
hs_status hs_pack_picture(const struct hs_pack *pack,
                          const uint8_t *pixels,
                          size_t width,
                          size_t height,
                          size_t channels,
                          int8_t *input,
                          size_t input_bytes);

// Makes an input of the model's own values, float32 in the model's own order: what a front end of the caller's makes.
//
// `input` has `input_bytes`, as many as `hs_pack_input` says, and is filled; `count` is the same number.
//
// `HS_STATUS_LENGTH` for other lengths; then `input` holds anything.
hs_status hs_pack_values(const struct hs_pack *pack,
                         const float *values,
                         size_t count,
                         int8_t *input,
                         size_t input_bytes);

// Opens a session: with the head that was committed last, or else the one that the pack ships, or else without a class.
//
// `pack` stays open, and `memory` is the session's, until `hs_session_close`. `memory` has `hs_pack_session_bytes`, or more, and starts
// at a multiple of 8. `flash` is copied. `session` is set to a handle inside `memory`.
//
// `HS_STATUS_LENGTH` and `HS_STATUS_MISALIGNED` for `memory`; `HS_STATUS_TAIL`; `HS_STATUS_REGION`; `HS_STATUS_OTHER_BACKBONE`,
// `HS_STATUS_NEWER`, `HS_STATUS_DAMAGED` and `HS_STATUS_FLASH` for what the flash holds; `HS_STATUS_HEAD`.
hs_status hs_session_open(const struct hs_pack *pack,
                          const struct hs_flash *flash,
                          void *memory,
                          size_t memory_bytes,
                          struct hs_session **session);

// Erases every slot of the region, whatever is there, and opens a session as `hs_session_open` does: for a new device, and for one whose
// owner wants everything that was learned to be gone.
hs_status hs_session_format(const struct hs_pack *pack,
                            const struct hs_flash *flash,
                            void *memory,
                            size_t memory_bytes,
                            struct hs_session **session);

// Keeps the head: it is durable when this returns, and the one before is there until then.
//
// `HS_STATUS_NO_SAMPLES` while there is no class; `HS_STATUS_DIVERGED`; `HS_STATUS_TOO_LONG`; `HS_STATUS_FLASH` and `HS_STATUS_WORN`:
// the head that was committed before is still there.
hs_status hs_session_commit(struct hs_session *session);

// Returns to the head that was committed last, as `hs_session_open` does. What was not committed is gone.
//
// As `hs_session_open`; after a failure there is no class.
hs_status hs_session_revert(struct hs_session *session);

// Gives the record of the head that was committed last: what every other door reads as its own. It lies in the session's memory until
// the next call. `length` is 0 where nothing was committed.
hs_status hs_session_committed(struct hs_session *session,
                               const uint8_t **record,
                               size_t *length);

// Closes a session: its memory is the caller's again. What was not committed is lost. Null, and a session that is closed, are nothing to
// close.
void hs_session_close(struct hs_session *session);

// Learns one labelled sample. A new label becomes a new class. It is kept by `hs_session_commit`.
//
// `input` has `length` bytes, as many as `hs_pack_input` says. `label` is 1 to 64 bytes. `loss` is set to the loss before the step;
// it may be null.
//
// `HS_STATUS_LABEL`, `HS_STATUS_TOO_MANY_CLASSES`, `HS_STATUS_LENGTH`: nothing was learned.
hs_status hs_session_learn(struct hs_session *session,
                           const int8_t *input,
                           size_t length,
                           const char *label,
                           float *loss);

// Answers one sample.
//
// `input` is as for `hs_session_learn`; `answer` is filled.
//
// `HS_STATUS_NO_SAMPLES` while there is no class; `HS_STATUS_LENGTH`.
hs_status hs_session_predict(struct hs_session *session,
                             const int8_t *input,
                             size_t length,
                             struct hs_answer *answer);

// Gives the features that the last sample had, int8, `hs_pack_features` of them. They lie in the session's memory until the next call:
// whoever wants to train on all samples again keeps a copy of each (`hs_session_rehearse`).
hs_status hs_session_features(const struct hs_session *session,
                              const int8_t **features,
                              size_t *count);

// Trains the head on kept samples, by gradient steps from the head that is there, in the memory that the backbone works in otherwise.
//
// `features` are `count` rows of `hs_pack_features` bytes, as `hs_session_features` gave them; `classes` are `count` numbers of
// classes. `loss` is set to the mean loss of the last pass; it may be null.
//
// `HS_STATUS_NO_SAMPLES`, `HS_STATUS_NO_CLASS`; `HS_STATUS_LENGTH` for more samples than that memory has room to order;
// `HS_STATUS_DIVERGED`: close the session.
hs_status hs_session_rehearse(struct hs_session *session,
                              const int8_t *features,
                              const uint16_t *classes,
                              size_t count,
                              float *loss);

// Replaces the head by the least-squares one of kept samples (ridge), in the memory that the backbone works in otherwise. The samples
// are as for `hs_session_rehearse`.
//
// `HS_STATUS_NO_SAMPLES` and `HS_STATUS_LENGTH`, where they are too many for that memory: the head is what it was. After any other
// failure close the session.
hs_status hs_session_solve(struct hs_session *session,
                           const int8_t *features,
                           const uint16_t *classes,
                           size_t count);

// Replaces the head by the class means of kept samples. The samples are as for `hs_session_rehearse`.
//
// `HS_STATUS_NO_SAMPLES`, `HS_STATUS_NO_CLASS`.
hs_status hs_session_imprint(struct hs_session *session,
                             const int8_t *features,
                             const uint16_t *classes,
                             size_t count);

// Gives how many classes there are; 0 without a session.
size_t hs_session_classes(const struct hs_session *session);

// Gives the name of a class and the samples that it was learned from. `label` has `HS_LABEL_BYTES`; both may be null.
//
// `HS_STATUS_NO_CLASS`.
hs_status hs_session_class(const struct hs_session *session,
                           uint16_t class_index,
                           char *label,
                           uint32_t *samples);

// Gives the number of a class. A new label becomes a new class, which nothing is answered with yet.
//
// `HS_STATUS_LABEL`, `HS_STATUS_TOO_MANY_CLASSES`.
hs_status hs_session_class_of(struct hs_session *session, const char *label, uint16_t *class_index);

// Removes a class. Classes behind it move up by one. It is gone for good when `hs_session_commit` has replaced every slot.
//
// `HS_STATUS_NO_CLASS`.
hs_status hs_session_forget(struct hs_session *session,
                            const char *label);

// Sets the probability below which an answer is unknown, 0 to 1. It is committed with the head.
//
// `HS_STATUS_ARGUMENT` for another number.
hs_status hs_session_unknown_below(struct hs_session *session, float probability);

// Gives the last failure of a `hs_device_*`, `hs_samples_*` or `hs_options_*` call in this thread in words, with the file that it is
// about and what to do. Empty before the first; valid until the next call of this thread that fails.
const char *hs_last_error(void);

// Opens a pack with the folder of what was learned, which need not exist yet.
//
// `state` may be null: then the pack's own head answers, and nothing can be learned. `threads` compute at most, 0 for one a core;
// results are the same for any number. `device` is set to a handle, which the caller closes with `hs_device_close`.
//
// `HS_STATUS_SAMPLE` for a file that cannot be read, `HS_STATUS_PACK` for one that is no pack.
hs_status hs_device_open(const char *pack,
                         const char *state,
                         size_t threads,
                         struct hs_device **device);

// Closes a device, which no other thread uses any more. Null is nothing to close.
void hs_device_close(struct hs_device *device);

// Gives the shape of the model's input.
hs_status hs_device_input(const struct hs_device *device, struct hs_input *input);

// Makes an empty list, which the caller frees with `hs_samples_free`.
hs_status hs_samples_new(struct hs_samples **samples);

// Lists the samples of a folder as this pack learns from them: one folder a class, or `images/` with `masks/`. Files are read when they
// are learned. The caller frees the list with `hs_samples_free`.
//
// `HS_STATUS_SAMPLE` for a folder of another kind.
hs_status hs_samples_folder(const struct hs_device *device,
                            const char *folder,
                            struct hs_samples **samples);

// Adds a file: a JPEG, PNG, WebP or BMP picture, or a `.npy` array. It is read when it is learned.
hs_status hs_samples_add_file(struct hs_samples *samples, const char *path, const char *label);

// Adds a picture: `height` rows of `width` pixels of `channels` bytes, 1 (grey) or 3 (red, green, blue), without padding. The pixels
// are copied.
//
// `HS_STATUS_LENGTH` for a picture without pixels, `HS_STATUS_ARGUMENT` for other channels.
hs_status hs_samples_add_pixels(struct hs_samples *samples,
                                const uint8_t *pixels,
                                size_t width,
                                size_t height,
                                size_t channels,
                                const char *label);

// Adds the model's own input values, float32 in the model's own order; `count` is their number. They are copied.
hs_status hs_samples_add_values(struct hs_samples *samples,
                                const float *values,
                                size_t count,
                                const char *label);

// Gives how many samples there are; 0 without a list.
size_t hs_samples_count(const struct hs_samples *samples);

// Frees a list. Null is nothing to free.
void hs_samples_free(struct hs_samples *samples);

// Makes options, which the caller frees with `hs_options_free`.
hs_status hs_options_new(struct hs_options **options);

// Frees options. Null is nothing to free.
void hs_options_free(struct hs_options *options);

// Sets the learner of the head: `auto`, `sgd`, `ridge`, `imprint` or `lda`.
//
// `HS_STATUS_ARGUMENT` for another name.
hs_status hs_options_learner(struct hs_options *options, const char *learner);

// Sets how often each new picture is shown to the backbone: 1 to 5, whole and as crops; 0 for as often as suits.
hs_status hs_options_views(struct hs_options *options,
                           size_t views);

// Sets the part of samples of classes that were never taught which may be answered, 0 to 1; 1 sets no limit.
hs_status hs_options_false_accepts(struct hs_options *options, float part);

// Sets how many samples each of these counts as, 1 to 100; 0 for all of them together as much as all others.
hs_status hs_options_weight(struct hs_options *options, uint16_t weight);

// Sets the most bytes of features that the state keeps; `UINT64_MAX` sets no limit.
hs_status hs_options_max_bytes(struct hs_options *options, uint64_t bytes);

// Sets whether the head's weights are kept as float16.
hs_status hs_options_half(struct hs_options *options, bool half);

// Sets whether a copy of each sample is kept from now on, which a later pack can learn from.
hs_status hs_options_keep_samples(struct hs_options *options, bool keep);

// Sets whether the head answers from now on even if it answers what was known before worse.
hs_status hs_options_force(struct hs_options *options, bool force);

// Sets whether samples that cannot be read are left out, instead of refused all together.
hs_status hs_options_skip_bad(struct hs_options *options, bool skip);

// Sets a function that hears of progress; null for none. `context` is given to it as it is, and stays the caller's.
hs_status hs_options_progress(struct hs_options *options,
                              hs_progress progress,
                              void *context);

// Learns labelled samples on top of what was learned before. What is committed is durable, and answers, when this returns. Answers of
// other threads go on meanwhile.
//
// `options` may be null. `lesson` is filled, and `json` set to the whole report, with the fields of `headstart-edge learn --json`,
// which the caller frees with `hs_text_free`; both may be null.
//
// `HS_STATUS_SAMPLE`, `HS_STATUS_REQUEST`, `HS_STATUS_STATE`, `HS_STATUS_TRAINING`, `HS_STATUS_BUSY`, `HS_STATUS_STOPPED`,
// `HS_STATUS_MACHINE`: the state is as it was before.
hs_status hs_device_learn(const struct hs_device *device,
                          const struct hs_samples *samples,
                          const struct hs_options *options,
                          struct hs_lesson *lesson,
                          char **json);

// Answers a file: a JPEG, PNG, WebP or BMP picture, or a `.npy` array. `answer` is filled.
//
// `HS_STATUS_NO_SAMPLES` while nothing was learned and the pack ships no head; `HS_STATUS_SAMPLE` for a file that cannot be read, or an
// array of another shape.
hs_status hs_device_predict_file(const struct hs_device *device,
                                 const char *path,
                                 struct hs_answer *answer);

// Answers a picture: `height` rows of `width` pixels of `channels` bytes, 1 (grey) or 3 (red, green, blue), without padding. They are
// not copied. `answer` is filled.
//
// As `hs_device_predict_file`; `HS_STATUS_LENGTH` for a picture without pixels, `HS_STATUS_ARGUMENT` for other channels.
hs_status hs_device_predict_pixels(const struct hs_device *device,
                                   const uint8_t *pixels,
                                   size_t width,
                                   size_t height,
                                   size_t channels,
                                   struct hs_answer *answer);

// Answers the model's own input values, float32 in the model's own order; `count` is their number. They are not copied. `answer` is
// filled.
//
// As `hs_device_predict_file`; `HS_STATUS_SAMPLE` for another number of values.
hs_status hs_device_predict_values(const struct hs_device *device,
                                   const float *values,
                                   size_t count,
                                   struct hs_answer *answer);

// Answers a picture with a class for each of its pixels, for a pack that does that. The picture is as for `hs_device_predict_pixels`;
// `mask` has `width * height` bytes and is filled with numbers of classes, 255 where there is no answer.
//
// `HS_STATUS_REQUEST` for a pack that answers one class a picture.
hs_status hs_device_mask_pixels(const struct hs_device *device,
                                const uint8_t *pixels,
                                size_t width,
                                size_t height,
                                size_t channels,
                                uint8_t *mask);

// Removes everything that was learned, for good. A head that the pack ships stays in the pack.
hs_status hs_device_forget_all(const struct hs_device *device);

// Forgets a class: the state is then one that never saw it, and commits that did are removed. `json` is set to a report, which the
// caller frees with `hs_text_free`; it may be null.
//
// `HS_STATUS_NO_SAMPLES` while nothing was learned; `HS_STATUS_REQUEST` where there is no such class, or only one would be left.
hs_status hs_device_forget_class(const struct hs_device *device,
                                 const char *label,
                                 char **json);

// Forgets one sample: `sample` is its file, its id, or what its file was called. `json` is as for `hs_device_forget_class`.
//
// `HS_STATUS_REQUEST` where there is no such sample.
hs_status hs_device_forget_sample(const struct hs_device *device,
                                  const char *sample,
                                  char **json);

// Gives a class another name; where that is a class already, both become one. `json` is as for `hs_device_forget_class`.
//
// `HS_STATUS_REQUEST` where there is no such class, or the name is none that a class can have.
hs_status hs_device_rename(const struct hs_device *device,
                           const char *label,
                           const char *to,
                           char **json);

// Gives a sample another class, which may be a new one: the answer was wrong, and this is right. `sample` is as for
// `hs_device_forget_sample`, `json` as for `hs_device_forget_class`.
//
// `HS_STATUS_REQUEST` where there is no such sample.
hs_status hs_device_relabel(const struct hs_device *device,
                            const char *sample,
                            const char *label,
                            char **json);

// Returns to an earlier commit: the one of this number, or with 0 the one before the current. It is a commit itself. `json` is as for
// `hs_device_forget_class`.
//
// `HS_STATUS_NO_SAMPLES` while nothing was learned; `HS_STATUS_STATE` where there is none to return to.
hs_status hs_device_rollback(const struct hs_device *device,
                             uint32_t commit,
                             char **json);

// Frees a text that this library gave. Null is nothing to free.
void hs_text_free(char *text);

// Gives what was learned, and what answers: one JSON object, with the fields of `headstart-edge status --json`. The caller frees it with
// `hs_text_free`.
hs_status hs_device_status(const struct hs_device *device,
                           char **json);

// Gives the commits, oldest first: one JSON object, with the fields of `headstart-edge history --json`. The caller frees it with
// `hs_text_free`.
hs_status hs_device_history(const struct hs_device *device,
                            char **json);

// Measures the head in use on labelled samples. `accuracy` is set to the share that is answered rightly, 0 to 1 (of pixels, where the
// pack answers a class for each place; not a number without any). `json` is set to the whole report, with the fields of
// `headstart-edge eval --json`, which the caller frees with `hs_text_free`. Both may be null.
hs_status hs_device_evaluate(const struct hs_device *device,
                             const struct hs_samples *samples,
                             double *accuracy,
                             char **json);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HEADSTART_H */
