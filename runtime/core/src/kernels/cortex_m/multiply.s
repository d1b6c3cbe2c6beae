@ Tiles of 4, 2 and 1 pixels by all output channels: see `Tile`.
@
@ Offsets in Tile: 0 rows, 4 quads, 8 weights, 12 records, 16 out, 20 out_stride, 24 channels,
@ 28 zero point, 32 low, 36 high, 40 step.
@
@ On the stack, read by one LDM at the end of a channel:
@   0 rows, 4 zero point, 8 out_stride, 12 3 * out_stride, 16 records - 8 * out,
@   20 bytes from a channel's last quad + 1 to the next channel's first, 24 end of the block's outputs,
@   28 end of all outputs.
@ s5 multiplier, s6 end of rows, s8 low, s9 high.

    .syntax unified
    .thumb
    .fpu fpv4-sp-d16

@ One quad of four pixels by one channel. r4-r7 sums, r0 rows, r1 weights; \bias is what the first
@ sums begin with.
.macro HS_QUAD4 wide, b4, b5, b6, b7
    ldm     r0!, {r10, r11, r12, lr}
  .if \wide
    ldr     r9, [r1], #\wide
  .else
    ldr     r9, [r1]
    add     r1, r1, r2
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

@ Whether r0 is at the end of the rows.
.macro HS_AT_END wide
  .if \wide
    cmp     r0, r2
  .else
    vmov    r8, s6
    cmp     r0, r8
  .endif
.endm

@ All channels of a tile of four pixels. \wide: bytes from a quad to the next where it is a constant. Whole
@ blocks of 16 channels that are not clamped take nearly all of a network's time and have a loop of their
@ own; all others share one.
.macro HS_CHANNELS4 wide, clamp
1:  HS_QUAD4 \wide, r4, r4, r4, r4
    HS_AT_END \wide
    beq     3f
2:  HS_QUAD4 \wide, r4, r5, r6, r7
    HS_AT_END \wide
    bne     2b
3:  vmov    s0, s1, r4, r5
    vmov    s2, s3, r6, r7
    ldm     sp, {r0, r8, r9, r10, r11, r12, lr}
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
  .if \clamp
    bfi     r4, r5, #8, #8
    bfi     r4, r6, #16, #8
    bfi     r4, r7, #24, #8
    vmov    r5, r6, s8, s9
    ssub8   r7, r4, r5
    sel     r4, r4, r5
    ssub8   r7, r6, r4
    sel     r4, r4, r6
    lsr     r5, r4, #8
    lsr     r6, r4, #16
    lsr     r7, r4, #24
  .endif
    strb    r5, [r3, r9]
    strb    r6, [r3, r9, lsl #1]
    strb    r7, [r3, r10]
    strb    r4, [r3], #1
    cmp     r3, lr
    beq     5f
    sub     r1, r1, r12
4:  add     r11, r11, r3, lsl #3
    ldrd    r4, r8, [r11]
    vmov    s5, r8
    b       1b
@ The end of a block: its last channel ended where the next block begins, but for 60 bytes.
5:  ldr     r8, [sp, #28]
    cmp     r3, r8
    beq     6f
    sub     r1, r1, #60
    add     lr, r3, #16
    str     lr, [sp, #24]
    b       4b
6:
.endm

.macro HS_MULTIPLY4 name, wide, clamp
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type   \name, %function
    .thumb_func
\name:
    push    {r4-r11, lr}
    sub     sp, sp, #36
    vldr    s8, [r0, #32]
    vldr    s9, [r0, #36]
    ldrd    r8, r6, [r0, #0]        @ rows, quads
    ldrd    r1, r9, [r0, #8]        @ weights, records
    ldrd    r3, r10, [r0, #16]      @ out, out_stride
    ldrd    r7, r5, [r0, #24]       @ channels, zero point
    ldr     r12, [r0, #40]
    add     r2, r8, r6, lsl #5      @ the end of the rows
    str     r8, [sp, #0]
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
    str     r7, [sp, #28]
    mov     r0, r8
    ldrd    r4, r8, [r9]
    vmov    s5, r8
  .if \wide == 0
    vmov    s6, r2
    mov     r2, r12
  .endif
    HS_CHANNELS4 \wide, \clamp
    add     sp, sp, #36
    pop     {r4-r11, pc}
    .size   \name, . - \name
.endm

    HS_MULTIPLY4 headstart_multiply4_64, 64, 0
    HS_MULTIPLY4 headstart_multiply4_any, 0, 1

@ Two pixels, or one. r0 rows, r1 weights, r2 end of rows, r3 out, r4 r5 sums, r6 step, r7 spare.
@ On the stack: 0 rows, 4 zero point, 8 out_stride, 12 records, 16 step back, 20 channels left in the
@ block, 24 channels left in all, 28 low, 32 high.
.macro HS_MULTIPLY_FEW name, pixels
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type   \name, %function
    .thumb_func
\name:
    push    {r4-r11, lr}
    sub     sp, sp, #36
    ldrd    r8, r7, [r0, #0]        @ rows, quads
    ldrd    r1, r9, [r0, #8]        @ weights, records
    ldrd    r3, r10, [r0, #16]      @ out, out_stride
    ldrd    r11, r5, [r0, #24]      @ channels, zero point
    ldr     r6, [r0, #40]
    ldrd    r4, r12, [r0, #32]      @ low, high
    strd    r4, r12, [sp, #28]
  .if \pixels == 2
    add     r2, r8, r7, lsl #4
  .else
    add     r2, r8, r7, lsl #3
  .endif
    str     r8, [sp, #0]
    strd    r5, r10, [sp, #4]
    str     r9, [sp, #12]
    mul     r7, r7, r6
    sub     r7, r7, #4
    mov     r12, #16
    cmp     r12, r11
    it      hi
    movhi   r12, r11
    str     r7, [sp, #16]
    strd    r12, r11, [sp, #20]
1:  ldr     r7, [sp, #12]
    ldrd    r4, r8, [r7], #8
    vmov    s5, r8
    str     r7, [sp, #12]
    ldr     r0, [sp, #0]
    mov     r5, r4
2:
  .if \pixels == 2
    ldm     r0!, {r10, r11, r12, lr}
  .else
    ldrd    r10, r12, [r0], #8
  .endif
    ldr     r9, [r1]
    add     r1, r1, r6
    sxtb16  r8, r9
    sxtb16  r9, r9, ror #8
    smlad   r4, r10, r8, r4
    smlad   r4, r12, r9, r4
  .if \pixels == 2
    smlad   r5, r11, r8, r5
    smlad   r5, lr, r9, r5
  .endif
    cmp     r0, r2
    bne     2b
    vmov    s0, s1, r4, r5
    ldrd    r8, r9, [sp, #4]        @ zero point, out_stride
    vcvt.f32.s32 s0, s0
    vcvt.f32.s32 s1, s1
    vmul.f32 s0, s0, s5
    vmul.f32 s1, s1, s5
    vcvtr.s32.f32 s0, s0
    vcvtr.s32.f32 s1, s1
    vmov    r4, r5, s0, s1
    qadd    r4, r4, r8
    qadd    r5, r5, r8
    ssat    r4, #8, r4
    ssat    r5, #8, r5
    bfi     r4, r5, #8, #8
    ldrd    r10, r11, [sp, #28]     @ low, high
    ssub8   r5, r4, r10
    sel     r4, r4, r10
    ssub8   r5, r11, r4
    sel     r4, r4, r11
  .if \pixels == 2
    lsr     r5, r4, #8
    strb    r5, [r3, r9]
  .endif
    strb    r4, [r3], #1
    ldrd    r12, lr, [sp, #20]
    ldr     r7, [sp, #16]
    subs    lr, lr, #1
    beq     4f
    subs    r12, r12, #1
    ite     ne
    subne   r1, r1, r7
    subeq   r1, r1, #60
    it      eq
    moveq   r12, #16
    strd    r12, lr, [sp, #20]
    b       1b
4:  add     sp, sp, #36
    pop     {r4-r11, pc}
    .size   \name, . - \name
.endm

    HS_MULTIPLY_FEW headstart_multiply2, 2
    HS_MULTIPLY_FEW headstart_multiply1, 1
