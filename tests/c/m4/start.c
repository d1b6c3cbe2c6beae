/* The lesson on Arm's MPS2 with AN386, as QEMU has it: pack and clips lie in its memory, and what is told goes to a file by semihosting. */
#include <stddef.h>
#include <stdint.h>

#include "../lesson.h"

/* In libheadstart.a, as the compiler needs them anyway. */
void *memcpy(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);

extern uint32_t stack_top, data_start, data_end, data_load, bss_start, bss_end;

/* As boards/mps2/machines/an386.x has them. */
#define PACK ((const uint8_t *)0x00080000)
#define PACK_BYTES (1u << 20)
#define FLASH ((uint8_t *)0x00200000)
#define SLOTS_BYTES (48u << 10)
#define CLIPS ((const uint8_t *)0x21000000)
#define ERASE_BYTES 4096u

enum { OPEN = 1, WRITE = 5, EXIT_EXTENDED = 0x20 };

static uint32_t host(uint32_t operation, const void *arguments) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void leave(uint32_t status) {
    const uint32_t how[2] = {0x20026, status};
    host(EXIT_EXTENDED, how);
    for (;;) {
    }
}

static uint32_t output;

static void tell(const void *bytes, size_t length) {
    const uint32_t what[3] = {output, (uint32_t)(uintptr_t)bytes, (uint32_t)length};
    if (host(WRITE, what) != 0) {
        leave(100);
    }
}

static int32_t flash_read(void *context, uint32_t offset, uint8_t *bytes, size_t length) {
    (void)context;
    memcpy(bytes, FLASH + offset, length);
    return 0;
}

static int32_t flash_write(void *context, uint32_t offset, const uint8_t *bytes, size_t length) {
    (void)context;
    memcpy(FLASH + offset, bytes, length);
    return 0;
}

static int32_t flash_erase(void *context, uint32_t offset, uint32_t length) {
    (void)context;
    memset(FLASH + offset, 0xFF, length);
    return 0;
}

static const hs_flash flash = {
    NULL, flash_read, flash_write, flash_erase, SLOTS_BYTES, 1, 4, ERASE_BYTES, 0, SLOTS_BYTES / 2, 2, 0xFF,
};

int main(void) {
    static uint64_t memory[(96u << 10) / 8];
    static const char name[] = "lesson.bin";
    const uint32_t file[3] = {(uint32_t)(uintptr_t)name, 5, sizeof name - 1};
    struct lesson lesson;
    output = host(OPEN, file);
    lesson.pack = PACK;
    lesson.pack_bytes = hs_pack_length(PACK, PACK_BYTES);
    lesson.clips = CLIPS;
    lesson.flash = flash;
    lesson.memory = memory;
    lesson.memory_bytes = sizeof memory;
    lesson.features = (int8_t *)(FLASH + SLOTS_BYTES);
    lesson.tell = tell;
    return (int)lesson_run(&lesson);
}

void reset(void) {
    /* The floating-point unit, which the library is compiled for. */
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
    __asm__ volatile("dsb\n isb" ::: "memory");
    memcpy(&data_start, &data_load, (size_t)((char *)&data_end - (char *)&data_start));
    memset(&bss_start, 0, (size_t)((char *)&bss_end - (char *)&bss_start));
    leave((uint32_t)main());
}

static void fault(void) { leave(102); }

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    handler handlers[15];
} vectors = {&stack_top, {reset, fault, fault, fault, fault, fault}};
