// The same door from C++: device_cpp PACK STATE. Teaches two colours from memory, answers, corrects and goes back.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "headstart.h"

namespace {

struct Close {
    void operator()(hs_device *device) const { hs_device_close(device); }
    void operator()(hs_samples *samples) const { hs_samples_free(samples); }
};

void must(hs_status status, const char *what) {
    if (status != HS_STATUS_OK) {
        std::fprintf(stderr, "%s: %s (%s)\n", what, hs_status_text(status), hs_last_error());
        std::exit(1);
    }
}

void so(bool is, const char *what) {
    if (!is) {
        std::fprintf(stderr, "not so: %s\n", what);
        std::exit(1);
    }
}

// 16 by 16 pixels of one colour, each picture a little lighter than the one before.
std::vector<uint8_t> picture(uint8_t red, uint8_t blue, uint8_t lighter) {
    std::vector<uint8_t> pixels;
    for (int at = 0; at < 16 * 16; at++) {
        pixels.push_back(static_cast<uint8_t>(red + lighter + at % 5));
        pixels.push_back(40);
        pixels.push_back(static_cast<uint8_t>(blue + lighter));
    }
    return pixels;
}

std::string answer(const hs_device *device, uint8_t red, uint8_t blue) {
    hs_answer said;
    const auto pixels = picture(red, blue, 3);
    must(hs_device_predict_pixels(device, pixels.data(), 16, 16, 3, &said), "answering");
    return said.unknown ? "unknown" : said.label;
}

}  // namespace

int main(int count, char **arguments) {
    if (count != 3) {
        std::fprintf(stderr, "usage: device_cpp PACK STATE\n");
        return 2;
    }
    hs_device *opened = nullptr;
    must(hs_device_open(arguments[1], arguments[2], 1, &opened), "opening");
    const std::unique_ptr<hs_device, Close> device(opened);
    hs_samples *made = nullptr;
    must(hs_samples_new(&made), "a list");
    const std::unique_ptr<hs_samples, Close> samples(made);
    for (uint8_t lighter = 0; lighter < 20; lighter++) {
        const auto red = picture(180, 40, lighter), blue = picture(40, 180, lighter);
        must(hs_samples_add_pixels(samples.get(), red.data(), 16, 16, 3, "red"), "a red one");
        must(hs_samples_add_pixels(samples.get(), blue.data(), 16, 16, 3, "blue"), "a blue one");
    }
    so(hs_samples_count(samples.get()) == 40, "all pictures are in the list");
    hs_lesson lesson;
    must(hs_device_learn(device.get(), samples.get(), nullptr, &lesson, nullptr), "learning");
    so(lesson.committed && lesson.new_samples == 40, "all of them are learned");
    so(answer(device.get(), 180, 40) == "red" && answer(device.get(), 40, 180) == "blue", "both colours are known");
    must(hs_device_rename(device.get(), "red", "crimson", nullptr), "renaming");
    so(answer(device.get(), 180, 40) == "crimson", "the new name is answered");
    must(hs_device_rollback(device.get(), 0, nullptr), "going back");
    so(answer(device.get(), 180, 40) == "red", "the old name is answered");
    must(hs_device_forget_all(device.get()), "forgetting");
    std::puts("red and blue");
    return 0;
}
