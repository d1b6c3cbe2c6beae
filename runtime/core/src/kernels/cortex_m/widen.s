@ Inputs to pairs of int16.

    .syntax unified
    .thumb

@ headstart_widen(from, quads, to, 4 * pixels): one pixel; quads may be 0.
    .section .text.headstart_widen, "ax", %progbits
    .balign 4
    .global headstart_widen
    .type   headstart_widen, %function
    .thumb_func
headstart_widen:
    cbz     r1, 2f
    push    {r4, lr}
    add     r1, r0, r1, lsl #2
1:  ldr     r12, [r0], #4
    sxtb16  lr, r12
    sxtb16  r12, r12, ror #8
    str     lr, [r2]
    str     r12, [r2, r3]
    add     r2, r2, r3, lsl #1
    cmp     r0, r1
    bne     1b
    pop     {r4, pc}
2:  bx      lr
    .size   headstart_widen, . - headstart_widen

@ headstart_widen4(from, stride, quads, to): four pixels; at least one quad.
    .section .text.headstart_widen4, "ax", %progbits
    .balign 4
    .global headstart_widen4
    .type   headstart_widen4, %function
    .thumb_func
headstart_widen4:
    push    {r4-r11, lr}
    add     lr, r3, r2, lsl #5
    mov     r12, r3
    add     r2, r1, r1, lsl #1      @ 3 * stride
1:  ldr     r5, [r0, r1]
    ldr     r6, [r0, r1, lsl #1]
    ldr     r7, [r0, r2]
    ldr     r4, [r0], #4
    sxtb16  r8, r4, ror #8
    sxtb16  r9, r5, ror #8
    sxtb16  r10, r6, ror #8
    sxtb16  r11, r7, ror #8
    sxtb16  r4, r4
    sxtb16  r5, r5
    sxtb16  r6, r6
    sxtb16  r7, r7
    stm     r12!, {r4-r11}
    cmp     r12, lr
    bne     1b
    pop     {r4-r11, pc}
    .size   headstart_widen4, . - headstart_widen4

@ headstart_fill(to, step, words, word): one word at every step; at least one.
    .section .text.headstart_fill, "ax", %progbits
    .balign 4
    .global headstart_fill
    .type   headstart_fill, %function
    .thumb_func
headstart_fill:
1:  str     r3, [r0]
    add     r0, r0, r1
    subs    r2, r2, #1
    bne     1b
    bx      lr
    .size   headstart_fill, . - headstart_fill

@ headstart_copy(from, length, to): a few bytes, at any address.
    .section .text.headstart_copy, "ax", %progbits
    .balign 4
    .global headstart_copy
    .type   headstart_copy, %function
    .thumb_func
headstart_copy:
    subs    r1, r1, #4
    blo     2f
1:  ldr     r3, [r0], #4
    subs    r1, r1, #4
    str     r3, [r2], #4
    bhs     1b
2:  adds    r1, r1, #4
    beq     4f
3:  ldrb    r3, [r0], #1
    subs    r1, r1, #1
    strb    r3, [r2], #1
    bne     3b
4:  bx      lr
    .size   headstart_copy, . - headstart_copy

@ headstart_copy_rows(rows): see `Rows`. Offsets: 0 from, 4 to, 8 length, 12 line, 16 rows, 20 pixels, 24 step, 28 patch. Whole words
@ are copied: what is past a row's end is written over by the next row.
@ r0 r1 the ends of a pixel's first row, r5 r6 those of a row, r7 where a word is, before them.
    .section .text.headstart_copy_rows, "ax", %progbits
    .balign 4
    .global headstart_copy_rows
    .type   headstart_copy_rows, %function
    .thumb_func
headstart_copy_rows:
    push    {r4-r10, lr}
    ldm     r0, {r0-r4, r8-r10}     @ from, to, length, line, rows, pixels, step, patch
    add     r0, r0, r2
    add     r1, r1, r2
1:  mov     r5, r0
    mov     r6, r1
    mov     lr, r4
2:  negs    r7, r2
3:  ldr     r12, [r5, r7]
    str     r12, [r6, r7]
    adds    r7, r7, #4
    bmi     3b
    add     r5, r5, r3
    add     r6, r6, r2
    subs    lr, lr, #1
    bne     2b
    add     r0, r0, r9
    add     r1, r1, r10
    subs    r8, r8, #1
    bne     1b
    pop     {r4-r10, pc}
    .size   headstart_copy_rows, . - headstart_copy_rows
