// Learns two inputs, answers one of them, and keeps the head in memory that stands in for flash.
//
// pack.h holds the pack, as an array in flash:
//   xxd -i model.hspk | sed 's/^unsigned char/alignas(8) static const unsigned char/' > pack.h
#include <headstart.h>
#include <string.h>

#include "pack.h"

static const uint32_t ERASE_BYTES = 4096;
static uint8_t flashMemory[8 * 4096];
static uint64_t packMemory[HS_PACK_BYTES / 8];
static uint64_t sessionMemory[(48 << 10) / 8];  // hs_pack_session_bytes says how much the pack takes
static hs_session *session;

static int32_t flashRead(void *, uint32_t offset, uint8_t *bytes, size_t length) {
  memcpy(bytes, flashMemory + offset, length);
  return 0;
}

static int32_t flashWrite(void *, uint32_t offset, const uint8_t *bytes, size_t length) {
  memcpy(flashMemory + offset, bytes, length);
  return 0;
}

static int32_t flashErase(void *, uint32_t offset, uint32_t length) {
  memset(flashMemory + offset, 0xFF, length);
  return 0;
}

static bool done(const char *what, hs_status status) {
  Serial.print(what);
  Serial.print(": ");
  Serial.println(hs_status_text(status));
  return status == HS_STATUS_OK;
}

void setup() {
  Serial.begin(115200);
  memset(flashMemory, 0xFF, sizeof flashMemory);
  const hs_flash flash = {nullptr, flashRead, flashWrite, flashErase, sizeof flashMemory, 1, 4, ERASE_BYTES, 0, sizeof flashMemory / 2, 2, 0xFF};
  hs_pack *pack = nullptr;
  hs_input input;
  if (!done("open the pack", hs_pack_open(model_hspk, sizeof model_hspk, packMemory, sizeof packMemory, &pack)) ||
      !done("open a session", hs_session_open(pack, &flash, sessionMemory, sizeof sessionMemory, &session)) ||
      !done("ask for the input", hs_pack_input(pack, &input))) {
    return;
  }
  const size_t bytes = size_t(input.height) * input.width * input.channels;
  int8_t *sample = new int8_t[bytes];
  for (int times = 0; times < 10; times++) {
    memset(sample, 100, bytes);
    done("learn light", hs_session_learn(session, sample, bytes, "light", nullptr));
    memset(sample, -100, bytes);
    done("learn dark", hs_session_learn(session, sample, bytes, "dark", nullptr));
  }
  done("commit", hs_session_commit(session));
  hs_answer answer;
  if (done("answer", hs_session_predict(session, sample, bytes, &answer))) {
    Serial.println(answer.unknown ? "unknown" : answer.label);
  }
  delete[] sample;
}

void loop() {}
