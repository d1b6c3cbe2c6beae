/* A storage partition in memory, which behaves as NOR flash. */
#include <string.h>

#include <zephyr/storage/flash_map.h>

enum { PAGE = 4096, START = 8 * PAGE, LENGTH = 12 * PAGE };

static uint8_t memory[LENGTH];

static int is_outside(off_t offset, size_t length) { return offset < 0 || offset > LENGTH || length > (size_t)(LENGTH - offset); }

int flash_area_open(uint8_t id, const struct flash_area **area) {
    static const struct flash_area opened = {1, 0, START, LENGTH, NULL};
    memset(memory, 0xFF, sizeof memory);
    *area = &opened;
    return id == 1 ? 0 : -2;
}

int flash_area_read(const struct flash_area *area, off_t offset, void *to, size_t length) {
    if (is_outside(offset, length)) {
        return -22;
    }
    (void)area;
    memcpy(to, memory + offset, length);
    return 0;
}

int flash_area_write(const struct flash_area *area, off_t offset, const void *from, size_t length) {
    size_t at;
    (void)area;
    if (is_outside(offset, length) || offset % 4 != 0 || length % 4 != 0) {
        return -22;
    }
    for (at = 0; at < length; at++) {
        memory[(size_t)offset + at] &= ((const uint8_t *)from)[at];
    }
    return 0;
}

int flash_area_erase(const struct flash_area *area, off_t offset, size_t length) {
    (void)area;
    if (is_outside(offset, length) || offset % PAGE != 0 || length % PAGE != 0) {
        return -22;
    }
    memset(memory + offset, 0xFF, length);
    return 0;
}

uint32_t flash_area_align(const struct flash_area *area) {
    (void)area;
    return 4;
}

uint8_t flash_area_erased_val(const struct flash_area *area) {
    (void)area;
    return 0xFF;
}

const struct device *flash_area_get_device(const struct flash_area *area) { return area->fa_dev; }

int flash_get_page_info_by_offs(const struct device *device, off_t offset, struct flash_pages_info *info) {
    (void)device;
    info->start_offset = offset / PAGE * PAGE;
    info->size = PAGE;
    info->index = (uint32_t)(offset / PAGE);
    return 0;
}
