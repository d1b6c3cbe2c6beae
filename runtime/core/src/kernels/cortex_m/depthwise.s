@ Depthwise kernels of 3 x 3: see `Row` and `Columns`.
@
@ Offsets in Row: 0 columns, 4 weights, 8 records, 12 out, 16 out_stride, 20 pixels, 24 zero point,
@ 28 low, 32 high.
@
@ r4-r9 the weights (w0, w1) and (w1, w2) of each slot, r10-r12 a pair of columns of each slot, r2 r3
@ sums, r0 the pair of slot 2, r1 out, lr free. s5 multiplier.
@ On the stack: 0 bias, 4 zero point, 8 out_stride, 12 where r0 ends, 16 the Row, 20 channel.

    .syntax unified
    .thumb
    .fpu fpv4-sp-d16

@ Two outputs, from r10-r12 on. \step: bytes from the pair to the next.
.macro HS_TWO_OUTPUTS stride
    ldr     r2, [sp, #0]
  .if \stride == 1
    smlatb  r3, r10, r4, r2
    smlad   r2, r10, r4, r2
    ldr     r10, [r0, #16]
    smlabt  r2, r10, r5, r2
    smlad   r3, r10, r5, r3
    smlatb  r3, r11, r6, r3
    smlad   r2, r11, r6, r2
    ldr     r11, [r0, #32]
    smlabt  r2, r11, r7, r2
    smlad   r3, r11, r7, r3
    smlatb  r3, r12, r8, r3
    smlad   r2, r12, r8, r2
    ldr     r12, [r0, #48]!
    smlabt  r2, r12, r9, r2
    smlad   r3, r12, r9, r3
  .else
    mov     r3, r2
    smlad   r2, r10, r4, r2
    ldr     r10, [r0, #16]
    smlabt  r2, r10, r5, r2
    smlad   r3, r10, r4, r3
    ldr     r10, [r0, #64]
    smlabt  r3, r10, r5, r3
    smlad   r2, r11, r6, r2
    ldr     r11, [r0, #32]
    smlabt  r2, r11, r7, r2
    smlad   r3, r11, r6, r3
    ldr     r11, [r0, #80]
    smlabt  r3, r11, r7, r3
    smlad   r2, r12, r8, r2
    ldr     r12, [r0, #48]
    smlabt  r2, r12, r9, r2
    smlad   r3, r12, r8, r3
    ldr     r12, [r0, #96]!
    smlabt  r3, r12, r9, r3
  .endif
.endm

@ One output, the last of a row.
.macro HS_ONE_OUTPUT
    ldr     r2, [sp, #0]
    smlad   r2, r10, r4, r2
    ldr     r10, [r0, #16]
    smlabt  r2, r10, r5, r2
    smlad   r2, r11, r6, r2
    ldr     r11, [r0, #32]
    smlabt  r2, r11, r7, r2
    smlad   r2, r12, r8, r2
    ldr     r12, [r0, #48]
    smlabt  r2, r12, r9, r2
.endm

@ Both sums to int8.
.macro HS_ROUND
    vmov    s0, s1, r2, r3
    vcvt.f32.s32 s0, s0
    vcvt.f32.s32 s1, s1
    vmul.f32 s0, s0, s5
    vmul.f32 s1, s1, s5
    vcvtr.s32.f32 s0, s0
    vcvtr.s32.f32 s1, s1
    vmov    r2, r3, s0, s1
    ldr     lr, [sp, #4]
    qadd    r2, r2, lr
    qadd    r3, r3, lr
    ssat    r2, #8, r2
    ssat    r3, #8, r3
    bfi     r2, r3, #8, #8
    vmov    lr, s6
    ssub8   r3, r2, lr
    sel     r2, r2, lr
    vmov    lr, s7
    ssub8   r3, lr, r2
    sel     r2, r2, lr
    lsr     r3, r2, #8
.endm

.macro HS_DEPTHWISE name, stride
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type   \name, %function
    .thumb_func
\name:
    push    {r4-r11, lr}
    sub     sp, sp, #28
    ldrd    r2, r3, [r0, #24]       @ zero point, low
    ldr     r4, [r0, #32]
    vmov    s6, r3
    vmov    s7, r4
    ldr     r3, [r0, #16]
    strd    r2, r3, [sp, #4]
    str     r0, [sp, #16]
    mov     r4, #0
    str     r4, [sp, #20]
1:  ldr     lr, [sp, #16]           @ one channel
    ldr     r0, [lr, #0]
    ldrd    r2, r3, [lr, #4]        @ weights, records
    ldr     r1, [lr, #12]
    add     r0, r0, r4, lsl #2
    add     r1, r1, r4
    add     r3, r3, r4, lsl #3
    ldrd    r5, r6, [r3]
    vmov    s5, r6
    str     r5, [sp, #0]
    ldr     r3, [lr, #20]
    add     r4, r4, r4, lsl #2      @ 40 bytes of weights a channel
    add     r2, r2, r4, lsl #3
    lsr     r4, r3, #1              @ pairs of outputs: 48 or 96 bytes of columns each
    add     r4, r4, r4, lsl #1
  .if \stride == 1
    lsl     r4, r4, #4
  .else
    lsl     r4, r4, #5
  .endif
    ldr     r10, [r0]
    ldr     r11, [r0, #16]
    ldr     r12, [r0, #32]!
    add     r4, r0, r4
    str     r4, [sp, #12]
    cmp     r0, r4
    ldm     r2, {r4-r9}
    beq     3f
2:  HS_TWO_OUTPUTS \stride
    HS_ROUND
    ldr     lr, [sp, #8]
    strb    r3, [r1, lr]
    strb    r2, [r1]
    add     r1, r1, lr, lsl #1
    ldr     lr, [sp, #12]
    cmp     r0, lr
    bne     2b
3:  ldr     lr, [sp, #16]
    ldr     lr, [lr, #20]
    lsls    lr, lr, #31
    beq     4f
    HS_ONE_OUTPUT
    HS_ROUND
    strb    r2, [r1]
4:  ldr     r4, [sp, #20]
    add     r4, r4, #1
    str     r4, [sp, #20]
    cmp     r4, #4
    bne     1b
    add     sp, sp, #28
    pop     {r4-r11, pc}
    .size   \name, . - \name
.endm

    HS_DEPTHWISE headstart_depthwise1, 1
    HS_DEPTHWISE headstart_depthwise2, 2

@ Columns r2 and r3 (four channels each) to four pairs at r1.
.macro HS_PAIR
    sxtb16  r8, r2
    sxtb16  r9, r2, ror #8
    sxtb16  r10, r3
    sxtb16  r11, r3, ror #8
    pkhbt   r4, r8, r10, lsl #16
    pkhbt   r5, r9, r11, lsl #16
    pkhtb   r6, r10, r8, asr #16
    pkhtb   r7, r11, r9, asr #16
    stm     r1, {r4-r7}
    add     r1, r1, #48
.endm

@ Offsets in Columns: 0 from, 4 step, 8 to, 12 left, 16 pairs, 20 right, 24 padding.
    .section .text.headstart_pair_columns, "ax", %progbits
    .balign 4
    .global headstart_pair_columns
    .type   headstart_pair_columns, %function
    .thumb_func
headstart_pair_columns:
    push    {r4-r11, lr}
    mov     r12, r0
    ldr     r1, [r12, #8]
    ldr     r0, [r12, #0]
    ldr     r4, [r12, #12]
    cbz     r4, 1f
    ldr     r2, [r12, #24]
    ldr     r3, [r0]
    HS_PAIR
    ldr     r2, [r12, #4]
    add     r0, r0, r2
1:  ldr     r3, [r12, #16]
    cbz     r3, 3f
    ldr     lr, [r12, #4]
    add     r2, r3, r3, lsl #1
    add     r2, r1, r2, lsl #4      @ where the pairs end
    push    {r2, r12}
    mov     r12, r2
2:  ldr     r3, [r0, lr]
    ldr     r2, [r0]
    add     r0, r0, lr, lsl #1
    HS_PAIR
    cmp     r1, r12
    bne     2b
    pop     {r2, r12}
3:  ldr     r4, [r12, #20]
    cbz     r4, 4f
    ldr     r2, [r0]
    ldr     r3, [r12, #24]
    HS_PAIR
4:  pop     {r4-r11, pc}
    .size   headstart_pair_columns, . - headstart_pair_columns

@ One pair of taps, columns r2 and r3, to the four channels' words at r1 + \at, and once more
@ 24 bytes on if \twice.
.macro HS_WEIGHTS at, twice, a, b
    sxtb16  r8, \a
    sxtb16  r9, \a, ror #8
    sxtb16  r10, \b
    sxtb16  r11, \b, ror #8
    pkhbt   r4, r8, r10, lsl #16
    pkhbt   r5, r9, r11, lsl #16
    pkhtb   r6, r10, r8, asr #16
    pkhtb   r7, r11, r9, asr #16
    str     r4, [r1, #\at]
    str     r5, [r1, #\at + 40]
    str     r6, [r1, #\at + 80]
    str     r7, [r1, #\at + 120]
  .if \twice
    str     r4, [r1, #\at + 24]
    str     r5, [r1, #\at + 64]
    str     r6, [r1, #\at + 104]
    str     r7, [r1, #\at + 144]
  .endif
.endm

@ headstart_pair_weights(weights, to, step): see `pair_weights`.
    .section .text.headstart_pair_weights, "ax", %progbits
    .balign 4
    .global headstart_pair_weights
    .type   headstart_pair_weights, %function
    .thumb_func
headstart_pair_weights:
    push    {r4-r11, lr}
    add     lr, r2, r2, lsl #1      @ bytes from a row of the kernel to the next
  .irp row, 0, 1, 2
    ldr     r3, [r0, r2]
    ldr     r12, [r0]
    HS_WEIGHTS (8 * \row), (\row < 2), r12, r3
    ldr     r12, [r0, r2, lsl #1]
    HS_WEIGHTS (8 * \row + 4), (\row < 2), r3, r12
    add     r0, r0, lr
  .endr
    pop     {r4-r11, pc}
    .size   headstart_pair_weights, . - headstart_pair_weights
