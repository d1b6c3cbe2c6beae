@ Depthwise kernels of 3 x 3: see `Band` and `Columns`.
@
@ Offsets in Band: 0 columns, 4 weights, 8 records, 12 out, 16 out_stride, 20 pixels, 24 zero point,
@ 28 rows, 32 pitch.
@
@ r4-r9 the weights (w0, w1) and (w1, w2) of each row, r10-r12 a pair of columns of each row, r2 r3
@ sums, r0 the pair of the first row, r1 out, lr the pitch until the sums are complete. s5 multiplier.
@ On the stack: 0 bias, 4 zero point, 8 out_stride, 12 where r0 ends, 16 pitch, 20 the Band, 24 channel,
@ 28 rows left, 32 the next row's first pair, 36 bytes of a row's pairs of outputs.

    .syntax unified
    .thumb
    .fpu fpv4-sp-d16

@ Two outputs, from r10-r12 on.
.macro HS_TWO_OUTPUTS stride
    ldr     r2, [sp, #0]
  .if \stride == 1
    smlatb  r3, r10, r4, r2
    smlad   r2, r10, r4, r2
    add     r0, r0, lr
    smlatb  r3, r11, r6, r3
    ldr     r10, [r0]
    smlad   r2, r11, r6, r2
    ldr     r11, [r0, #16]
    smlatb  r3, r12, r8, r3
    smlad   r2, r12, r8, r2
    ldr     r12, [r0, #32]
    smlabt  r2, r10, r5, r2
    smlad   r3, r10, r5, r3
    smlabt  r2, r11, r7, r2
    smlad   r3, r11, r7, r3
    smlabt  r2, r12, r9, r2
    smlad   r3, r12, r9, r3
  .else
    mov     r3, r2
    smlad   r2, r10, r4, r2
    smlad   r2, r11, r6, r2
    smlad   r2, r12, r8, r2
    add     r0, r0, lr
    ldr     r10, [r0]
    ldr     r11, [r0, #16]
    ldr     r12, [r0, #32]
    smlabt  r2, r10, r5, r2
    smlad   r3, r10, r4, r3
    smlabt  r2, r11, r7, r2
    smlad   r3, r11, r6, r3
    smlabt  r2, r12, r9, r2
    smlad   r3, r12, r8, r3
    add     r0, r0, lr
    ldr     r10, [r0]
    ldr     r11, [r0, #16]
    ldr     r12, [r0, #32]
    smlabt  r3, r10, r5, r3
    smlabt  r3, r11, r7, r3
    smlabt  r3, r12, r9, r3
  .endif
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
    ldr     lr, [sp, #8]
    ssat    r2, #8, r2
    ssat    r3, #8, r3
.endm

.macro HS_DEPTHWISE name, stride
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type   \name, %function
    .thumb_func
\name:
    push    {r4-r11, lr}
    sub     sp, sp, #44
    ldrd    r2, r3, [r0, #16]       @ out_stride, pixels
    ldr     r5, [r0, #24]           @ zero point
    ldr     r6, [r0, #32]           @ pitch
    lsr     r7, r3, #1
    mul     r7, r7, r6
  .if \stride == 2
    lsl     r7, r7, #1
  .endif
    strd    r5, r2, [sp, #4]
    strd    r6, r0, [sp, #16]
    str     r7, [sp, #36]
    mov     r4, #0
1:  str     r4, [sp, #24]           @ a channel
    ldr     lr, [sp, #20]
    ldrd    r0, r2, [lr, #0]        @ columns, weights
    ldrd    r3, r1, [lr, #8]        @ records, out
    ldr     r12, [lr, #28]
    add     r0, r0, r4, lsl #2
    add     r1, r1, r4
    add     r3, r3, r4, lsl #3
    ldrd    r6, r7, [r3]
    vmov    s5, r7
    str     r6, [sp, #0]
    add     r4, r4, r4, lsl #1      @ 24 bytes of weights a channel
    add     r2, r2, r4, lsl #3
    ldm     r2, {r4-r9}
    str     r12, [sp, #28]
2:  ldr     r2, [sp, #36]           @ a row
    ldr     lr, [sp, #16]
    add     r3, r0, #(16 * \stride)
    str     r3, [sp, #32]
    add     r2, r2, r0
    str     r2, [sp, #12]
    ldr     r10, [r0]
    ldr     r11, [r0, #16]
    ldr     r12, [r0, #32]
    cmp     r0, r2
    beq     4f
3:  HS_TWO_OUTPUTS \stride
    HS_ROUND
    strb    r3, [r1, lr]
    strb    r2, [r1]
    add     r1, r1, lr, lsl #1
    ldrd    r2, lr, [sp, #12]
    cmp     r0, r2
    bne     3b
4:  ldr     r2, [sp, #20]
    ldr     r2, [r2, #20]
    lsls    r2, r2, #31
    beq     5f
    ldr     r2, [sp, #0]            @ the last output of an odd number
    smlad   r2, r10, r4, r2
    add     r0, r0, lr
    smlad   r2, r11, r6, r2
    ldr     r10, [r0]
    smlad   r2, r12, r8, r2
    ldr     r11, [r0, #16]
    smlabt  r2, r10, r5, r2
    ldr     r12, [r0, #32]
    smlabt  r2, r11, r7, r2
    smlabt  r2, r12, r9, r2
    HS_ROUND
    strb    r2, [r1]
    add     r1, r1, lr
5:  ldrd    r2, r0, [sp, #28]
    subs    r2, r2, #1
    str     r2, [sp, #28]
    bne     2b
    ldr     r4, [sp, #24]
    add     r4, r4, #1
    cmp     r4, #4
    bne     1b
    add     sp, sp, #44
    pop     {r4-r11, pc}
    .size   \name, . - \name
.endm

    HS_DEPTHWISE headstart_depthwise1, 1
    HS_DEPTHWISE headstart_depthwise2, 2

@ Columns r2 and r3 (four channels each) to four pairs at r1.
.macro HS_PAIR
    sxtb16  r8, r2
    sxtb16  r2, r2, ror #8
    sxtb16  r9, r3
    sxtb16  r3, r3, ror #8
    pkhbt   r4, r8, r9, lsl #16
    pkhtb   r6, r9, r8, asr #16
    pkhbt   r5, r2, r3, lsl #16
    pkhtb   r7, r3, r2, asr #16
    stm     r1, {r4-r7}
    add     r1, r1, r11
.endm

@ Offsets in Columns: 0 from, 4 step, 8 to, 12 left, 16 pairs, 20 right, 24 padding, 28 pitch, 32 line, 36 rows. From, to and rows
@ are changed.
    .section .text.headstart_pair_columns, "ax", %progbits
    .balign 4
    .global headstart_pair_columns
    .type   headstart_pair_columns, %function
    .thumb_func
headstart_pair_columns:
    push    {r4-r11, lr}
    mov     r10, r0
    ldr     r11, [r10, #28]
    ldr     lr, [r10, #4]
1:  ldr     r0, [r10, #0]
    ldrd    r1, r4, [r10, #8]
    cbz     r4, 2f
    ldr     r2, [r10, #24]
    ldr     r3, [r0]
    HS_PAIR
    add     r0, r0, lr
2:  ldr     r3, [r10, #16]
    cbz     r3, 4f
    mla     r12, r3, r11, r1        @ where the pairs end
3:  ldr     r3, [r0, lr]
    ldr     r2, [r0]
    add     r0, r0, lr, lsl #1
    HS_PAIR
    cmp     r1, r12
    bne     3b
4:  ldr     r4, [r10, #20]
    cbz     r4, 5f
    ldr     r2, [r0]
    ldr     r3, [r10, #24]
    HS_PAIR
5:  ldrd    r4, r5, [r10, #32]
    ldr     r0, [r10, #0]
    ldr     r1, [r10, #8]
    add     r0, r0, r4
    add     r1, r1, #16
    str     r0, [r10, #0]
    str     r1, [r10, #8]
    subs    r5, r5, #1
    str     r5, [r10, #36]
    bne     1b
    pop     {r4-r11, pc}
    .size   headstart_pair_columns, . - headstart_pair_columns

@ headstart_move_rows(to, ahead, pitch, pairs): two rows of every pair, from `ahead` bytes on.
    .section .text.headstart_move_rows, "ax", %progbits
    .balign 4
    .global headstart_move_rows
    .type   headstart_move_rows, %function
    .thumb_func
headstart_move_rows:
    push    {r4-r11, lr}
1:  add     r12, r0, r1
    ldm     r12, {r4-r11}
    stm     r0, {r4-r11}
    add     r0, r0, r2
    subs    r3, r3, #1
    bne     1b
    pop     {r4-r11, pc}
    .size   headstart_move_rows, . - headstart_move_rows

@ One pair of taps, columns \a and \b, to the four channels' words at r1 + \at.
.macro HS_WEIGHTS at, a, b
    sxtb16  r8, \a
    sxtb16  r9, \a, ror #8
    sxtb16  r10, \b
    sxtb16  r11, \b, ror #8
    pkhbt   r4, r8, r10, lsl #16
    pkhbt   r5, r9, r11, lsl #16
    pkhtb   r6, r10, r8, asr #16
    pkhtb   r7, r11, r9, asr #16
    str     r4, [r1, #\at]
    str     r5, [r1, #\at + 24]
    str     r6, [r1, #\at + 48]
    str     r7, [r1, #\at + 72]
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
    add     r12, r1, #24
1:  ldr     r3, [r0, r2]
    ldr     r4, [r0]
    HS_WEIGHTS 0, r4, r3
    ldr     r4, [r0, r2, lsl #1]
    HS_WEIGHTS 4, r3, r4
    add     r0, r0, lr
    add     r1, r1, #8
    cmp     r1, r12
    bne     1b
    pop     {r4-r11, pc}
    .size   headstart_pair_weights, . - headstart_pair_weights
