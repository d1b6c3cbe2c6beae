/* As much of Arduino as the sketch asks for, so that it is compiled without Arduino, and runs on Linux. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>

struct Serial_ {
    void begin(unsigned long baud);
    void print(const char *text);
    void println(const char *text);
};

extern Serial_ Serial;

void setup();
void loop();

#endif
