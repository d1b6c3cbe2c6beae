@ Tiles of up to 4 pixels by all output channels: see `Tile`.
@
@ Offsets in Tile: 0 inputs, 4 quads, 8 weights, 12 records, 16 out, 20 out_stride, 24 channels, 28 zero point, 32 step, 36 low,
@ 40 high, 44 pixels.
@
@ r0 r2 r4 r6 sums, r1 inputs, r3 weights, r5 the channel's first weights, r7 channels left, below 0, r8 quads, r9 bytes from a
@ vector of weights to the next, r10 zero point, r11 records, r12 multiplier, lr the loop.
@ q0 inputs and results, q1 weights, q2 low, q3 high, q4 where a vector's quads lie, q5 where the pixels' results go.
@ On the stack: 0 inputs, 4 bytes from the end of a block to the next one's first weights.

    .syntax unified
    .thumb

@ Four sums to int8 in lanes. q2 and q3 are the bounds.
.macro HS_LANES multiplier
    vmov    q0[2], q0[0], r0, r4
    vmov    q0[3], q0[1], r2, r6
    vcvt.f32.s32 q0, q0
    vmul.f32 q0, q0, \multiplier
    vcvtn.s32.f32 q0, q0
    vqadd.s32 q0, q0, r10
    vmax.s32 q0, q0, q2
    vmin.s32 q0, q0, q3
.endm

.macro HS_HELIUM_MULTIPLY name, pixels
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type   \name, %function
    .thumb_func
\name:
    push    {r4-r11, lr}
    vpush   {d8-d11}
    sub     sp, sp, #12
    ldrd    r1, r8, [r0, #0]        @ inputs, quads
    ldrd    r5, r11, [r0, #8]       @ weights, records
    ldrd    r3, r2, [r0, #16]       @ out, out_stride
    ldrd    r7, r10, [r0, #24]      @ channels, zero point
    ldrd    r9, r4, [r0, #32]       @ step, low
    ldrd    r6, r12, [r0, #40]      @ high, pixels
    vdup.32 q2, r4
    vdup.32 q3, r6
    vctp.32 r12
    str     r1, [sp, #0]
    mul     r0, r8, r9
    sub     r0, r0, #64
    str     r0, [sp, #4]
    add     r0, r3, r7
    add     r4, r0, r2, lsl #1
    vmov    q5[2], q5[0], r0, r4
    add     r0, r0, r2
    add     r4, r4, r2
    vmov    q5[3], q5[1], r0, r4
    movs    r0, #0
    lsl     r4, r9, #1
    vmov    q4[2], q4[0], r0, r4
    add     r4, r4, r9
    vmov    q4[3], q4[1], r9, r4
    lsl     r9, r9, #2
    rsb     r7, r7, #0
@ A channel.
1:  ldrd    r0, r12, [r11], #8
    ldr     r1, [sp, #0]
    mov     r3, r5
  .if \pixels == 4
    mov     r2, r0
    mov     r4, r0
    mov     r6, r0
  .endif
    add     r5, r5, #4
    wlstp.32 lr, r8, 3f
2:  vldrw.u32 q1, [r3, q4]
    add     r3, r3, r9
    vldrb.u8 q0, [r1], #16
    vmladava.s8 r0, q0, q1
  .if \pixels == 4
    vldrb.u8 q0, [r1], #16
    vmladava.s8 r2, q0, q1
    vldrb.u8 q0, [r1], #16
    vmladava.s8 r4, q0, q1
    vldrb.u8 q0, [r1], #16
    vmladava.s8 r6, q0, q1
  .endif
    letp    lr, 2b
3:  HS_LANES r12
    vpst
    vstrbt.32 q0, [r7, q5]
    adds    r7, r7, #1
    tst     r7, #15
    bne     1b
@ The end of a block.
    ldr     r3, [sp, #4]
    add     r5, r5, r3
    cmp     r7, #0
    bne     1b
    add     sp, sp, #12
    vpop    {d8-d11}
    pop     {r4-r11, pc}
    .size   \name, . - \name
.endm

    HS_HELIUM_MULTIPLY headstart_helium_multiply4, 4
    HS_HELIUM_MULTIPLY headstart_helium_multiply1, 1

@ Up to 4 output channels of up to 16 products, pixel after pixel: see `Points`.
@
@ Offsets: 0 inputs, 4 pitch, 8 pixels, 12 quads, 16 weights, 20 step, 24 records, 28 channels, 32 out, 36 out_stride,
@ 40 zero point, 44 low, 48 high.
@
@ r0 r2 r4 r6 sums, r1 inputs, r3 out, r5 pitch, r7 out_stride, r10 zero point, r11 the biases, on the stack.
@ q0 inputs and results, q1 multipliers, q2 low, q3 high, q4-q7 weights of a channel each.
    .section .text.headstart_helium_points, "ax", %progbits
    .balign 4
    .global headstart_helium_points
    .type   headstart_helium_points, %function
    .thumb_func
headstart_helium_points:
    push    {r4-r11, lr}
    vpush   {d8-d15}
    sub     sp, sp, #20
    mov     r11, sp
    ldrd    r1, r5, [r0, #0]
    ldrd    lr, r7, [r0, #8]        @ pixels, quads
    ldrd    r3, r2, [r0, #16]       @ weights, step
    movs    r4, #0
    lsl     r6, r2, #1
    vmov    q0[2], q0[0], r4, r6
    add     r6, r6, r2
    vmov    q0[3], q0[1], r2, r6
    add     r8, r3, #4
    add     r9, r3, #8
    add     r12, r3, #12
    vctp.32 r7
    vpstttt
    vldrwt.u32 q4, [r3, q0]
    vldrwt.u32 q5, [r8, q0]
    vldrwt.u32 q6, [r9, q0]
    vldrwt.u32 q7, [r12, q0]
    ldrd    r3, r8, [r0, #24]       @ records, channels
    add     r9, r3, #4
    vidup.u32 q0, r4, #8
    vctp.32 r8
    vpstt
    vldrwt.u32 q2, [r3, q0]
    vldrwt.u32 q1, [r9, q0]
    vstrw.32 q2, [r11]
    ldrd    r3, r7, [r0, #32]       @ out, out_stride
    ldrd    r10, r4, [r0, #40]      @ zero point, low
    ldr     r6, [r0, #48]
    vdup.32 q2, r4
    vdup.32 q3, r6
1:  ldm     r11, {r0, r2, r4, r6}
    vldrb.u8 q0, [r1]
    add     r1, r1, r5
    vmladava.s8 r0, q0, q4
    vmladava.s8 r2, q0, q5
    vmladava.s8 r4, q0, q6
    vmladava.s8 r6, q0, q7
    HS_LANES q1
    vpst
    vstrbt.32 q0, [r3]
    add     r3, r3, r7
    le      lr, 1b
    add     sp, sp, #20
    vpop    {d8-d15}
    pop     {r4-r11, pc}
    .size   headstart_helium_points, . - headstart_helium_points

@ Copies rows of bytes in vectors, whose places are apart, pixel after pixel: see `Rows`. Offsets: 0 from, 4 to, 8 length, 12 line,
@ 16 rows, 20 step, 24 advance, 28 pixels, 32 across, 36 apart.
@
@ r1-r7 as they stand there, r8 r9 a row, r10 rows left, r11 r12 a vector, lr the loop. On the stack: 0 pixels left.
    .section .text.headstart_helium_copy, "ax", %progbits
    .balign 4
    .global headstart_helium_copy
    .type   headstart_helium_copy, %function
    .thumb_func
headstart_helium_copy:
    push    {r3-r11, lr}
    ldr     r1, [r0, #28]
    str     r1, [sp, #0]
    ldm     r0, {r1-r7}
    vctp.8  r3
1:  mov     r8, r1
    mov     r9, r2
    cmp     r3, #16
    bhi     3f
    dls     lr, r5                  @ rows of one vector
2:  vpstt
    vldrbt.u8 q0, [r8]
    vstrbt.8 q0, [r9]
    add     r8, r8, r4
    add     r9, r9, r7
    le      lr, 2b
    b       6f
3:  mov     r10, r5
4:  mov     r11, r8
    mov     r12, r9
    wlstp.8 lr, r3, 5f
7:  vldrb.u8 q0, [r11], #16
    vstrb.8 q0, [r12]
    add     r12, r12, r6
    letp    lr, 7b
5:  add     r8, r8, r4
    add     r9, r9, r7
    subs    r10, r10, #1
    bne     4b
6:  ldrd    r10, r11, [r0, #32]
    ldr     r12, [sp, #0]
    add     r1, r1, r10
    add     r2, r2, r11
    subs    r12, r12, #1
    str     r12, [sp, #0]
    bne     1b
    pop     {r3-r11, pc}
    .size   headstart_helium_copy, . - headstart_helium_copy

@ headstart_helium_fill(to, bytes, byte)
    .section .text.headstart_helium_fill, "ax", %progbits
    .balign 4
    .global headstart_helium_fill
    .type   headstart_helium_fill, %function
    .thumb_func
headstart_helium_fill:
    push    {r4, lr}
    vdup.8  q0, r2
    wlstp.8 lr, r1, 2f
1:  vstrb.8 q0, [r0], #16
    letp    lr, 1b
2:  pop     {r4, pc}
    .size   headstart_helium_fill, . - headstart_helium_fill

@ headstart_helium_add(sum): see `Sum`. Offsets: 0 a, 4 b, 8 out, 12 count, 16 zero_a, 20 zero_b, 24 scale_a, 28 scale_b,
@ 32 zero point, 36 low, 40 high.
    .section .text.headstart_helium_add, "ax", %progbits
    .balign 4
    .global headstart_helium_add
    .type   headstart_helium_add, %function
    .thumb_func
headstart_helium_add:
    push    {r4-r11, lr}
    ldrd    r1, r2, [r0, #0]
    ldrd    r3, r4, [r0, #8]
    ldrd    r5, r6, [r0, #16]
    ldrd    r7, r8, [r0, #24]
    ldrd    r10, r9, [r0, #32]
    ldr     r12, [r0, #40]
    vdup.32 q2, r9
    vdup.32 q3, r12
    wlstp.32 lr, r4, 2f
1:  vldrb.s32 q0, [r1], #4
    vldrb.s32 q1, [r2], #4
    vsub.i32 q0, q0, r5
    vsub.i32 q1, q1, r6
    vcvt.f32.s32 q0, q0
    vcvt.f32.s32 q1, q1
    vmul.f32 q0, q0, r7
    vmul.f32 q1, q1, r8
    vadd.f32 q0, q0, q1
    vcvtn.s32.f32 q0, q0
    vqadd.s32 q0, q0, r10
    vmax.s32 q0, q0, q2
    vmin.s32 q0, q0, q3
    vstrb.32 q0, [r3], #4
    letp    lr, 1b
2:  pop     {r4-r11, pc}
    .size   headstart_helium_add, . - headstart_helium_add
