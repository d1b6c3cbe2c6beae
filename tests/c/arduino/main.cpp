// Runs the sketch once. It needs no C++ library.
#include "Arduino.h"

#include <stdio.h>
#include <stdlib.h>

Serial_ Serial;

void Serial_::begin(unsigned long) {}
void Serial_::print(const char *text) { fputs(text, stdout); }
void Serial_::println(const char *text) { puts(text); }

#ifdef __arm__
// As Arduino's cores have them.
void *operator new[](size_t bytes) { return malloc(bytes); }
void operator delete[](void *memory) noexcept { free(memory); }
void operator delete[](void *memory, size_t) noexcept { free(memory); }
#endif

int main() {
    setup();
    loop();
    return 0;
}
