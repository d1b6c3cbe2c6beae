/* As much of Zephyr as the sample asks for, declared as Zephyr 4 declares it, so that the sample is compiled without it, and runs on
   Linux over a partition in memory. */
#ifndef ZEPHYR_KERNEL_H
#define ZEPHYR_KERNEL_H

#include <stdio.h>

#define __aligned(bytes) __attribute__((aligned(bytes)))
#define printk printf

#endif
