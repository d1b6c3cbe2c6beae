@ Depthwise kernels of 3 x 3, eight channels at a time: see `Band`, `Columns` and `CELL`.
@
@ Offsets in Band: 0 planes, 4 plane, 8 cells, 12 records, 16 out, 20 pixel, 24 line, 28 columns, 32 rows, 36 strip, 40 zero point,
@ 44 low, 48 high.
@
@ r0 r2 r4 r6 sums, r1 inputs, r3 out, r5 bytes from four results to those below, r7 strips left, r8 bias, r9 multiplier,
@ r10 zero point, r11 the next strip, r12 its results, lr the loop.
@ q0 inputs and results, q1 where four results go, q2 low, q3 high, q4-q7 weights, each for one of four results (stride 2: q4).
@ On the stack: 0 rows of four results, 4 lanes of what is left behind them, or 0, 8 lanes of the last strip, 12 strips, 16 strip,
@ 20 bytes from a strip's results to the next one's, 24 out, 28 planes, 32 cells, 36 records, 40 plane, 44 channels left.

    .syntax unified
    .thumb

.macro HS_FOUR stride
  .if \stride == 1
    vldrb.u8 q0, [r1], #8
    vmladav.s8 r0, q0, q4
    vmladav.s8 r2, q0, q5
    vmladav.s8 r4, q0, q6
    vmladav.s8 r6, q0, q7
  .else
    vldrb.u8 q0, [r1], #8
    vmladav.s8 r0, q0, q4
    vldrb.u8 q0, [r1], #8
    vmladav.s8 r2, q0, q4
    vldrb.u8 q0, [r1], #8
    vmladav.s8 r4, q0, q4
    vldrb.u8 q0, [r1], #8
    vmladav.s8 r6, q0, q4
  .endif
    vmov    q0[2], q0[0], r0, r4
    vmov    q0[3], q0[1], r2, r6
    vadd.i32 q0, q0, r8
    vcvt.f32.s32 q0, q0
    vmul.f32 q0, q0, r9
    vcvtn.s32.f32 q0, q0
    vqadd.s32 q0, q0, r10
    vmax.s32 q0, q0, q2
    vmin.s32 q0, q0, q3
    vpst
    vstrbt.32 q0, [r3, q1]
    add     r3, r3, r5
.endm

.macro HS_HELIUM_DEPTHWISE name, stride
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type   \name, %function
    .thumb_func
\name:
    push    {r4-r11, lr}
    vpush   {d8-d15}
    sub     sp, sp, #52
    ldrd    r1, r2, [r0, #0]        @ planes, plane
    str     r1, [sp, #28]
    str     r2, [sp, #40]
    ldrd    r1, r2, [r0, #8]        @ cells, records
    strd    r1, r2, [sp, #32]
    ldrd    r1, r2, [r0, #16]       @ out, pixel
    str     r1, [sp, #24]
    ldrd    r3, r4, [r0, #24]       @ line, columns
    ldrd    r5, r6, [r0, #32]       @ rows, strip
    str     r6, [sp, #16]
    movs    r1, #0
  .if \stride == 1
    add     r6, r3, r2
    vmov    q1[2], q1[0], r1, r3
    vmov    q1[3], q1[1], r2, r6
    lsls    r6, r4, #31             @ an odd column: lanes 0 and 2
    ite     eq
    movweq  r7, #0xffff
    movwne  r7, #0x0f0f
    str     r7, [sp, #8]
    adds    r4, r4, #1
    lsrs    r4, r4, #1
    lsls    r2, r2, #1
    strd    r4, r2, [sp, #12]       @ strips
    ldr     r7, [r0, #36]
    strd    r7, r2, [sp, #16]
    lsrs    r7, r5, #1
    and     r6, r5, #1              @ an odd row: lanes 0 and 1
    rsb     r6, r6, #0
    uxtb    r6, r6
    strd    r7, r6, [sp, #0]
    lsl     r5, r3, #1
  .else
    lsl     r6, r3, #1
    vmov    q1[2], q1[0], r1, r6
    add     r6, r6, r3
    vmov    q1[3], q1[1], r3, r6
    movw    r7, #0xffff
    strd    r7, r4, [sp, #8]
    ldr     r7, [r0, #36]
    strd    r7, r2, [sp, #16]
    and     r6, r5, #3
    lsl     r6, r6, #2
    mov     r7, #1
    lsl     r7, r7, r6
    sub     r6, r7, #1
    lsrs    r7, r5, #2
    strd    r7, r6, [sp, #0]
    lsl     r5, r3, #2
  .endif
    ldrd    r10, r1, [r0, #40]
    ldr     r2, [r0, #48]
    vdup.32 q2, r1
    vdup.32 q3, r2
    movs    r0, #8
    str     r0, [sp, #44]
@ A channel.
1:  ldrd    r1, r2, [sp, #32]
  .if \stride == 1
    vldrb.u8 q4, [r1, #5]
    vldrb.u8 q5, [r1, #4]
    vldrb.u8 q6, [r1, #1]
    vldrb.u8 q7, [r1]
  .else
    vldrb.u8 q4, [r1, #5]
  .endif
    ldrd    r8, r9, [r2], #8
    add     r1, r1, #32
    strd    r1, r2, [sp, #32]
    ldrd    r12, r11, [sp, #24]
    ldr     r7, [sp, #12]
    movw    r2, #0xffff
    vmsr    p0, r2
@ A strip.
2:  subs    r7, r7, #1
    bne     6f
    ldr     r2, [sp, #8]
    vmsr    p0, r2
6:  ldrd    r0, r2, [sp, #16]
    mov     r1, r11
    add     r11, r11, r0
    mov     r3, r12
    add     r12, r12, r2
    ldr     r0, [sp, #0]
    wls     lr, r0, 4f
3:  HS_FOUR \stride
    le      lr, 3b
4:  ldr     r2, [sp, #4]
    cbz     r2, 5f
    vmrs    r0, p0
    ands    r0, r0, r2
    vmsr    p0, r0
    HS_FOUR \stride
    movw    r2, #0xffff
    vmsr    p0, r2
5:  cmp     r7, #0
    bne     2b
    ldrd    r1, r2, [sp, #24]       @ out, planes
    ldrd    r3, r0, [sp, #40]
    add     r1, r1, #1
    add     r2, r2, r3
    strd    r1, r2, [sp, #24]
    subs    r0, r0, #1
    str     r0, [sp, #44]
    bne     1b
    add     sp, sp, #52
    vpop    {d8-d15}
    pop     {r4-r11, pc}
    .size   \name, . - \name
.endm

    HS_HELIUM_DEPTHWISE headstart_helium_depthwise1, 1
    HS_HELIUM_DEPTHWISE headstart_helium_depthwise2, 2

@ Lays out input columns of eight channels. Offsets in Columns: 0 from, 4 step, 8 to, 12 left, 16 pairs, 20 right, 24 padding,
@ 28 strip, 32 line, 36 rows, 40 plane.
@
@ r1 from, r2 to, r3 the strip before it, r4 step, r5 strip, r6 from, r7 to of the row, r8 rows left, r9 pairs.
@ q0 q1 columns, q2 padding, q3 where the channels' planes are.
    .section .text.headstart_helium_columns, "ax", %progbits
    .balign 4
    .global headstart_helium_columns
    .type   headstart_helium_columns, %function
    .thumb_func
headstart_helium_columns:
    push    {r4-r9, r11, lr}
    ldrd    r6, r4, [r0, #0]
    ldrd    r7, r9, [r0, #8]        @ to, left
    ldrd    r1, r5, [r0, #24]       @ padding, strip
    vdup.16 q2, r1
    ldr     r1, [r0, #40]
    movs    r2, #0
    vidup.u16 q3, r2, #1
    vmul.i16 q3, q3, r1
    ldr     r8, [r0, #36]
    ldr     r11, [r0, #16]
1:  mov     r1, r6
    mov     r2, r7
    sub     r3, r7, r5
    add     r3, r3, #2
    cmp     r9, #0
    beq     2f
    vmov    q0, q2
    vldrb.u16 q1, [r1]
    vsli.16 q0, q1, #8
    vstrh.16 q0, [r2, q3]
    add     r1, r1, r4
    add     r2, r2, r5
    add     r3, r3, r5
2:  wls     lr, r11, 4f
3:  vldrb.u16 q0, [r1]
    add     r1, r1, r4
    vldrb.u16 q1, [r1]
    add     r1, r1, r4
    vsli.16 q0, q1, #8
    vstrh.16 q0, [r2, q3]
    vstrh.16 q0, [r3, q3]
    add     r2, r2, r5
    add     r3, r3, r5
    le      lr, 3b
4:  ldr     r12, [r0, #20]
    cmp     r12, #0
    beq     5f
    vldrb.u16 q0, [r1]
    vsli.16 q0, q2, #8
    vstrh.16 q0, [r2, q3]
    vstrh.16 q0, [r3, q3]
5:  ldr     r12, [r0, #32]
    add     r6, r6, r12
    add     r7, r7, #4
    subs    r8, r8, #1
    bne     1b
    pop     {r4-r9, r11, pc}
    .size   headstart_helium_columns, . - headstart_helium_columns

@ headstart_helium_taps(weights, step, cells): nine taps of eight channels to their places in the cells.
    .section .text.headstart_helium_taps, "ax", %progbits
    .balign 4
    .global headstart_helium_taps
    .type   headstart_helium_taps, %function
    .thumb_func
headstart_helium_taps:
    push    {r4, lr}
    movs    r4, #0
    vidup.u16 q1, r4, #8
    vshl.i16 q1, q1, #2
    adds    r2, r2, #5
    movs    r3, #3
1:
  .rept 3
    vldrb.u16 q0, [r0]
    add     r0, r0, r1
    vstrb.16 q0, [r2, q1]
    adds    r2, r2, #1
  .endr
    adds    r2, r2, #1
    subs    r3, r3, #1
    bne     1b
    pop     {r4, pc}
    .size   headstart_helium_taps, . - headstart_helium_taps
