/* Learns two inputs, keeps the head in the storage partition, and answers. */
#include <zephyr/drivers/flash.h>
#include <zephyr/kernel.h>
#include <zephyr/storage/flash_map.h>

#include <string.h>

#include "headstart.h"

static const uint8_t pack_bytes[] __aligned(8) = {
#include "pack.inc"
};
static uint64_t pack_memory[HS_PACK_BYTES / 8];
/* hs_pack_session_bytes says how much the pack takes. */
static uint64_t session_memory[(48 << 10) / 8];

static int32_t partition_read(void *area, uint32_t offset, uint8_t *bytes, size_t length) {
    return flash_area_read(area, offset, bytes, length);
}

static int32_t partition_write(void *area, uint32_t offset, const uint8_t *bytes, size_t length) {
    return flash_area_write(area, offset, bytes, length);
}

static int32_t partition_erase(void *area, uint32_t offset, uint32_t length) { return flash_area_erase(area, offset, length); }

static int must(const char *what, hs_status status) {
    printk("%s: %s\n", what, hs_status_text(status));
    return status == HS_STATUS_OK;
}

int main(void) {
    const struct flash_area *area;
    struct flash_pages_info page;
    hs_flash flash = {0};
    hs_pack *pack;
    hs_session *session;
    hs_input input;
    hs_answer answer;
    static int8_t sample[16 << 10];
    size_t bytes;
    if (flash_area_open(FIXED_PARTITION_ID(storage_partition), &area) != 0 ||
        flash_get_page_info_by_offs(flash_area_get_device(area), area->fa_off, &page) != 0) {
        printk("there is no storage partition\n");
        return 1;
    }
    flash.context = (void *)area;
    flash.read = partition_read;
    flash.write = partition_write;
    flash.erase = partition_erase;
    flash.capacity = area->fa_size;
    flash.read_bytes = 1;
    flash.write_bytes = flash_area_align(area);
    flash.erase_bytes = page.size;
    flash.slot_bytes = area->fa_size / 2 / page.size * page.size;
    flash.slots = 2;
    flash.erased = flash_area_erased_val(area);
    if (!must("open the pack", hs_pack_open(pack_bytes, sizeof pack_bytes, pack_memory, sizeof pack_memory, &pack)) ||
        !must("open a session", hs_session_open(pack, &flash, session_memory, sizeof session_memory, &session)) ||
        !must("ask for the input", hs_pack_input(pack, &input))) {
        return 1;
    }
    bytes = (size_t)input.height * input.width * input.channels;
    if (bytes > sizeof sample) {
        printk("an input has %zu bytes\n", bytes);
        return 1;
    }
    for (int times = 0; times < 10; times++) {
        memset(sample, 100, bytes);
        must("learn light", hs_session_learn(session, sample, bytes, "light", NULL));
        memset(sample, -100, bytes);
        must("learn dark", hs_session_learn(session, sample, bytes, "dark", NULL));
    }
    if (!must("commit", hs_session_commit(session))) {
        return 1;
    }
    if (must("answer", hs_session_predict(session, sample, bytes, &answer))) {
        printk("%s\n", answer.unknown ? "unknown" : answer.label);
    }
    return 0;
}
