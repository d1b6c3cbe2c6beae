@ Tiles of 4 pixels and of 1 by all output channels: see `Tile`.
@
@ Offsets in Tile: 0 rows, 4 quads, 8 weights, 12 records, 16 out, 20 out_stride, 24 channels,
@ 28 zero point, 32 step.
@
@ On the stack, the first seven read by one LDM at the end of a channel:
@   0 rows, 4 zero point, 8 out_stride, 12 3 * out_stride, 16 records - 8 * out,
@   20 bytes from a channel's last quad + 1 to the next channel's first, 24 end of the block's outputs,
@   28 end of all outputs, 32 whether quads are odd in number, 36 out, 40 step (both where r3 is the step).
@ s5 multiplier.

    .syntax unified
    .thumb
    .fpu fpv4-sp-d16

@ One quad of four pixels by one channel. r4-r7 sums, r0 rows, r1 weights; \bias is what the first
@ sums begin with. \wide: bytes from a quad to the next where it is a constant; else r3 has them.
.macro HS_QUAD4 wide, b4, b5, b6, b7
    ldm     r0!, {r10, r11, r12, lr}
  .if \wide
    ldr     r9, [r1], #\wide
  .else
    ldr     r9, [r1]
    add     r1, r1, r3
  .endif
    sxtb16  r8, r9
    sxtb16  r9, r9, ror #8
    smlad   r5, r11, r8, \b5
    smlad   r6, r12, r8, \b6
    smlad   r7, lr, r8, \b7
    smlad   r4, r10, r8, \b4
    ldm     r0!, {r10, r11, r12, lr}
    smlad   r4, r10, r9, r4
    smlad   r5, r11, r9, r5
    smlad   r6, r12, r9, r6
    smlad   r7, lr, r9, r7
.endm

@ Whole blocks of 16 channels take nearly all of a network's time and have a loop of their own; narrower ones share one.
.macro HS_MULTIPLY4 name, wide
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type   \name, %function
    .thumb_func
\name:
    push    {r4-r11, lr}
    sub     sp, sp, #44
    mov     r12, r0
    ldrd    r0, r6, [r12, #0]       @ rows, quads
    ldrd    r1, r9, [r12, #8]       @ weights, records
    ldrd    r3, r10, [r12, #16]     @ out, out_stride
    ldrd    r7, r5, [r12, #24]      @ channels, zero point
    ldr     r12, [r12, #32]
    add     r2, r0, r6, lsl #5      @ the end of the rows
    str     r0, [sp, #0]
    strd    r5, r10, [sp, #4]
    add     r11, r10, r10, lsl #1
    sub     lr, r9, r3, lsl #3
    strd    r11, lr, [sp, #12]
    mul     r5, r6, r12
    sub     r5, r5, #4
    add     r7, r3, r7
    add     lr, r3, #16
    cmp     r7, lr
    it      lo
    movlo   lr, r7
    strd    r5, lr, [sp, #20]
    and     r6, r6, #1
    strd    r7, r6, [sp, #28]
    strd    r3, r12, [sp, #36]
    sub     r11, r9, r3, lsl #3
@ A channel.
1:  add     r11, r11, r3, lsl #3
    ldrd    r4, r8, [r11]
    vmov    s5, r8
    ldr     r7, [sp, #32]
  .if \wide == 0
    ldr     r3, [sp, #40]
  .endif
    cbnz    r7, 2f
    HS_QUAD4 \wide, r4, r4, r4, r4
    b       4f
2:  HS_QUAD4 \wide, r4, r4, r4, r4
    cmp     r0, r2
    beq     5f
3:  HS_QUAD4 \wide, r4, r5, r6, r7
4:  HS_QUAD4 \wide, r4, r5, r6, r7
    cmp     r0, r2
    bne     3b
5:  vmov    s0, s1, r4, r5
    vmov    s2, s3, r6, r7
    ldm     sp, {r0, r8, r9, r10, r11, r12, lr}
  .if \wide == 0
    ldr     r3, [sp, #36]
  .endif
    vcvt.f32.s32 s0, s0
    vcvt.f32.s32 s1, s1
    vcvt.f32.s32 s2, s2
    vcvt.f32.s32 s3, s3
    vmul.f32 s0, s0, s5
    vmul.f32 s1, s1, s5
    vmul.f32 s2, s2, s5
    vmul.f32 s3, s3, s5
    vcvtr.s32.f32 s0, s0
    vcvtr.s32.f32 s1, s1
    vcvtr.s32.f32 s2, s2
    vcvtr.s32.f32 s3, s3
    vmov    r4, r5, s0, s1
    vmov    r6, r7, s2, s3
    qadd    r4, r4, r8
    qadd    r5, r5, r8
    qadd    r6, r6, r8
    qadd    r7, r7, r8
    ssat    r4, #8, r4
    ssat    r5, #8, r5
    ssat    r6, #8, r6
    ssat    r7, #8, r7
    strb    r5, [r3, r9]
    strb    r6, [r3, r9, lsl #1]
    strb    r7, [r3, r10]
    strb    r4, [r3], #1
  .if \wide == 0
    str     r3, [sp, #36]
  .endif
    sub     r1, r1, r12
    cmp     r3, lr
    bne     1b
@ The end of a block: its last channel ended where the next block begins, but for 60 bytes.
    ldr     r8, [sp, #28]
    add     r1, r1, r12
    sub     r1, r1, #60
    add     lr, r3, #16
    str     lr, [sp, #24]
    cmp     r3, r8
    bne     1b
    add     sp, sp, #44
    pop     {r4-r11, pc}
    .size   \name, . - \name
.endm

    HS_MULTIPLY4 headstart_multiply4_64, 64
    HS_MULTIPLY4 headstart_multiply4_any, 0

@ One pixel. r0 rows, r1 weights, r2 end of rows, r3 out, r4 sum, r5 zero point, r6 step, r7 step back,
@ r11 records, lr channels left in all.
@ On the stack: 0 rows, 4 channels left in the block.
    .section .text.headstart_multiply1, "ax", %progbits
    .balign 4
    .global headstart_multiply1
    .type   headstart_multiply1, %function
    .thumb_func
headstart_multiply1:
    push    {r0-r1, r4-r11, lr}
    mov     r12, r0
    ldrd    r0, r7, [r12, #0]       @ rows, quads
    ldrd    r1, r11, [r12, #8]      @ weights, records
    ldr     r3, [r12, #16]          @ out
    ldrd    lr, r5, [r12, #24]      @ channels, zero point
    ldr     r6, [r12, #32]
    add     r2, r0, r7, lsl #3
    mul     r7, r7, r6
    sub     r7, r7, #4
    mov     r12, #16
    cmp     r12, lr
    it      hi
    movhi   r12, lr
    strd    r0, r12, [sp]
1:  ldrd    r4, r8, [r11], #8
    vmov    s5, r8
    ldr     r0, [sp, #0]
2:  ldrd    r10, r12, [r0], #8
    ldr     r9, [r1]
    add     r1, r1, r6
    sxtb16  r8, r9
    sxtb16  r9, r9, ror #8
    smlad   r4, r10, r8, r4
    smlad   r4, r12, r9, r4
    cmp     r0, r2
    bne     2b
    vmov    s0, r4
    vcvt.f32.s32 s0, s0
    vmul.f32 s0, s0, s5
    vcvtr.s32.f32 s0, s0
    vmov    r4, s0
    qadd    r4, r4, r5
    ssat    r4, #8, r4
    strb    r4, [r3], #1
    subs    lr, lr, #1
    beq     4f
    ldr     r12, [sp, #4]
    subs    r12, r12, #1
    ite     ne
    subne   r1, r1, r7
    subeq   r1, r1, #60
    it      eq
    moveq   r12, #16
    str     r12, [sp, #4]
    b       1b
4:  pop     {r0-r1, r4-r11, pc}
    .size   headstart_multiply1, . - headstart_multiply1

@ headstart_clamp(first, last, low, high): every byte from `first` to that of the word at `last`, at least one word.
    .section .text.headstart_clamp, "ax", %progbits
    .balign 4
    .global headstart_clamp
    .type   headstart_clamp, %function
    .thumb_func
headstart_clamp:
    push    {r4, lr}
1:  ldr     r12, [r0]
    ssub8   r4, r12, r2
    sel     r12, r12, r2
    ssub8   r4, r3, r12
    sel     r12, r12, r3
    str     r12, [r0], #4
    cmp     r0, r1
    bls     1b
    sub     r4, r0, r1
    cmp     r4, #4
    it      ne
    movne   r0, r1
    bne     1b
    pop     {r4, pc}
    .size   headstart_clamp, . - headstart_clamp
