// TensorFlow Lite Micro's front end with any settings, for Python's ctypes. `micro.py` builds it with the sources of pymicro-features.
#include <cstring>

extern "C" {
#include "tensorflow/lite/experimental/microfrontend/lib/frontend.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend_util.h"
}

struct Settings {
    int sample_rate, window_ms, step_ms, channels;
    float lower_hz, upper_hz;
    int smoothing_bits;
    float even_smoothing, odd_smoothing, min_signal_remaining;
    int gain;
    float strength, offset;
    int gain_bits, log, log_shift;
};

// The number of values that were written, or -1 where the settings are refused.
extern "C" long spectrogram(const Settings *s, const short *samples, long left, unsigned short *out, long room) {
    FrontendConfig config = {};
    config.window = {static_cast<size_t>(s->window_ms), static_cast<size_t>(s->step_ms)};
    config.filterbank.num_channels = s->channels;
    config.filterbank.lower_band_limit = s->lower_hz;
    config.filterbank.upper_band_limit = s->upper_hz;
    config.noise_reduction.smoothing_bits = s->smoothing_bits;
    config.noise_reduction.even_smoothing = s->even_smoothing;
    config.noise_reduction.odd_smoothing = s->odd_smoothing;
    config.noise_reduction.min_signal_remaining = s->min_signal_remaining;
    config.pcan_gain_control.enable_pcan = s->gain;
    config.pcan_gain_control.strength = s->strength;
    config.pcan_gain_control.offset = s->offset;
    config.pcan_gain_control.gain_bits = s->gain_bits;
    config.log_scale.enable_log = s->log;
    config.log_scale.scale_shift = s->log_shift;
    FrontendState state;
    if (!FrontendPopulateState(&config, &state, s->sample_rate)) return -1;
    long written = 0;
    while (left > 0) {
        size_t read;
        FrontendOutput frame = FrontendProcessSamples(&state, samples, left, &read);
        samples += read;
        left -= read;
        if (!frame.values) continue;
        if (written + static_cast<long>(frame.size) > room) return -2;
        std::memcpy(out + written, frame.values, frame.size * sizeof *out);
        written += frame.size;
    }
    FrontendFreeStateContents(&state);
    return written;
}
