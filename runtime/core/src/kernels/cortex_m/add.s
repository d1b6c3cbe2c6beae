@ The sum of two operands: see `Sum`. Two at a time, up to the last one of an odd number.
@
@ Offsets: 0 a, 4 b, 8 out, 12 count, 16 zero_a, 20 zero_b, 24 scale_a, 28 scale_b, 32 zero point.

    .syntax unified
    .thumb
    .fpu fpv4-sp-d16

    .section .text.headstart_add, "ax", %progbits
    .balign 4
    .global headstart_add
    .type   headstart_add, %function
    .thumb_func
headstart_add:
    push    {r4-r11, lr}
    ldrd    r1, r2, [r0, #0]        @ a, b
    ldrd    r3, r4, [r0, #8]        @ out, count
    ldrd    r5, r6, [r0, #16]       @ zero_a, zero_b
    vldr    s4, [r0, #24]
    vldr    s5, [r0, #28]
    ldr     r7, [r0, #32]
    add     r4, r3, r4              @ the end of out
    sub     lr, r4, #1
    cmp     r3, lr
    bhs     2f
1:  ldrsb   r9, [r1, #1]
    ldrsb   r8, [r1], #2
    ldrsb   r11, [r2, #1]
    ldrsb   r10, [r2], #2
    sub     r8, r8, r5
    sub     r9, r9, r5
    sub     r10, r10, r6
    sub     r11, r11, r6
    vmov    s0, s1, r8, r9
    vmov    s2, s3, r10, r11
    vcvt.f32.s32 s0, s0
    vcvt.f32.s32 s1, s1
    vcvt.f32.s32 s2, s2
    vcvt.f32.s32 s3, s3
    vmul.f32 s0, s0, s4
    vmul.f32 s1, s1, s4
    vmul.f32 s2, s2, s5
    vmul.f32 s3, s3, s5
    vadd.f32 s0, s0, s2
    vadd.f32 s1, s1, s3
    vcvtr.s32.f32 s0, s0
    vcvtr.s32.f32 s1, s1
    vmov    r8, r9, s0, s1
    qadd    r8, r8, r7
    qadd    r9, r9, r7
    ssat    r8, #8, r8
    ssat    r9, #8, r9
    strb    r9, [r3, #1]
    strb    r8, [r3], #2
    cmp     r3, lr
    blo     1b
2:  cmp     r3, r4
    beq     3f
    ldrsb   r8, [r1]
    ldrsb   r10, [r2]
    sub     r8, r8, r5
    sub     r10, r10, r6
    vmov    s0, s1, r8, r10
    vcvt.f32.s32 s0, s0
    vcvt.f32.s32 s1, s1
    vmul.f32 s0, s0, s4
    vmul.f32 s1, s1, s5
    vadd.f32 s0, s0, s1
    vcvtr.s32.f32 s0, s0
    vmov    r8, s0
    qadd    r8, r8, r7
    ssat    r8, #8, r8
    strb    r8, [r3]
3:  pop     {r4-r11, pc}
    .size   headstart_add, . - headstart_add
