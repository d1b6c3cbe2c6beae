@ The long loops of a linear head, on whole chunks of eight features.

    .syntax unified
    .thumb
    .fpu fpv4-sp-d16

@ headstart_dot(weights, features, chunks, lanes): lanes[i] += weights[8 c + i] * features[8 c + i].
    .section .text.headstart_dot, "ax", %progbits
    .balign 4
    .global headstart_dot
    .type   headstart_dot, %function
    .thumb_func
headstart_dot:
    push    {r4-r9, lr}
    vpush   {s16-s23}
    vldm    r3, {s16-s23}
    cmp     r2, #0
    beq     2f
1:  ldr     r4, [r1], #4
    ldr     r5, [r1], #4
    vldmia  r0!, {s8-s15}
    sxtb    r6, r4
    sxtb    r7, r4, ror #8
    sxtb    r8, r4, ror #16
    asr     r9, r4, #24
    vmov    s0, s1, r6, r7
    vmov    s2, s3, r8, r9
    sxtb    r6, r5
    sxtb    r7, r5, ror #8
    sxtb    r8, r5, ror #16
    asr     r9, r5, #24
    vmov    s4, s5, r6, r7
    vmov    s6, s7, r8, r9
  .irp i, 0, 1, 2, 3, 4, 5, 6, 7
    vcvt.f32.s32 s\i, s\i
  .endr
    vmul.f32 s0, s8, s0
    vmul.f32 s1, s9, s1
    vmul.f32 s2, s10, s2
    vmul.f32 s3, s11, s3
    vmul.f32 s4, s12, s4
    vmul.f32 s5, s13, s5
    vmul.f32 s6, s14, s6
    vmul.f32 s7, s15, s7
    vadd.f32 s16, s16, s0
    vadd.f32 s17, s17, s1
    vadd.f32 s18, s18, s2
    vadd.f32 s19, s19, s3
    vadd.f32 s20, s20, s4
    vadd.f32 s21, s21, s5
    vadd.f32 s22, s22, s6
    vadd.f32 s23, s23, s7
    subs    r2, r2, #1
    bne     1b
    vstm    r3, {s16-s23}
2:  vpop    {s16-s23}
    pop     {r4-r9, pc}
    .size   headstart_dot, . - headstart_dot

@ The next two features less their centre.
.macro HS_DIFFERENCES a, b
    ldrsb   r5, [r3], #1
    ldrsb   r6, [r4], #1
    ldrsb   r7, [r3], #1
    ldrsb   r8, [r4], #1
    sub     r5, r5, r6
    sub     r7, r7, r8
    vmov    \a, \b, r5, r7
.endm

@ headstart_move(step): see `Step`. Offsets: 0 weights, 4 row, 8 features, 12 centre, 16 chunks,
@ 20 changes, 24 classes.
    .section .text.headstart_move, "ax", %progbits
    .balign 4
    .global headstart_move
    .type   headstart_move, %function
    .thumb_func
headstart_move:
    push    {r4-r11, lr}
    vpush   {s16-s23}
    ldrd    r1, r2, [r0, #0]        @ weights, bytes of a row
    ldrd    r3, r4, [r0, #8]        @ features, centre
    ldr     lr, [r0, #16]
    cmp     lr, #0
    beq     4f
1:
    HS_DIFFERENCES s0, s1
    HS_DIFFERENCES s2, s3
    HS_DIFFERENCES s4, s5
    HS_DIFFERENCES s6, s7
  .irp i, 0, 1, 2, 3, 4, 5, 6, 7
    vcvt.f32.s32 s\i, s\i
  .endr
    ldrd    r5, r6, [r0, #20]       @ changes, classes
    mov     r7, r1
2:  vldm    r7, {s8-s15}
    vldmia  r5!, {s16}
    vmul.f32 s17, s16, s0
    vmul.f32 s18, s16, s1
    vmul.f32 s19, s16, s2
    vmul.f32 s20, s16, s3
    vadd.f32 s8, s8, s17
    vadd.f32 s9, s9, s18
    vadd.f32 s10, s10, s19
    vadd.f32 s11, s11, s20
    vmul.f32 s17, s16, s4
    vmul.f32 s18, s16, s5
    vmul.f32 s19, s16, s6
    vmul.f32 s20, s16, s7
    vadd.f32 s12, s12, s17
    vadd.f32 s13, s13, s18
    vadd.f32 s14, s14, s19
    vadd.f32 s15, s15, s20
    vstm    r7, {s8-s15}
    add     r7, r7, r2
    subs    r6, r6, #1
    bne     2b
    add     r1, r1, #32
    subs    lr, lr, #1
    bne     1b
4:  vpop    {s16-s23}
    pop     {r4-r11, pc}
    .size   headstart_move, . - headstart_move

@ headstart_distance(features, centre, chunks, sums): sums[0] += (f - c)^2, sums[1] += (f - c) * c, in 64
@ bits each.
    .section .text.headstart_distance, "ax", %progbits
    .balign 4
    .global headstart_distance
    .type   headstart_distance, %function
    .thumb_func
headstart_distance:
    push    {r4-r11, lr}
    ldrd    r4, r5, [r3, #0]
    ldrd    r6, r7, [r3, #8]
    lsls    r2, r2, #1
    beq     2f
1:  ldr     r8, [r0], #4
    ldr     r9, [r1], #4
    sxtb16  r10, r8
    sxtb16  r8, r8, ror #8
    sxtb16  r11, r9
    sxtb16  r9, r9, ror #8
    ssub16  r10, r10, r11
    ssub16  r8, r8, r9
    smlald  r4, r5, r10, r10
    smlald  r4, r5, r8, r8
    smlald  r6, r7, r10, r11
    smlald  r6, r7, r8, r9
    subs    r2, r2, #1
    bne     1b
    strd    r4, r5, [r3, #0]
    strd    r6, r7, [r3, #8]
2:  pop     {r4-r11, pc}
    .size   headstart_distance, . - headstart_distance
