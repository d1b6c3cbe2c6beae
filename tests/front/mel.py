"""Log-mel and MFCC of librosa and Kaldi (kaldi-native-fbank), in float64 where the library has it.

What `runtime/core/src/front/mel/settings.rs` calls LIBROSA, LIBROSA_MFCC, KALDI and KALDI_MFCC; `golden.py` writes it down.
"""

import kaldi_native_fbank
import librosa
import numpy as np


def librosa_mel(samples):
    sound = samples.astype(np.float64) / 32768
    powers = librosa.feature.melspectrogram(y=sound, sr=16000, n_fft=512, hop_length=160, n_mels=40)
    return librosa.power_to_db(powers, top_db=None).T


def librosa_mfcc(samples):
    return librosa.feature.mfcc(S=librosa_mel(samples).T, n_mfcc=13).T


def kaldi(samples, options, kind):
    options.frame_opts.dither = 0
    front = kind(options)
    front.accept_waveform(16000, samples.astype(np.float32).tolist())
    front.input_finished()
    return np.array([front.get_frame(at) for at in range(front.num_frames_ready)])


def kaldi_mel(samples):
    options = kaldi_native_fbank.FbankOptions()
    options.mel_opts.num_bins = 40
    return kaldi(samples, options, kaldi_native_fbank.OnlineFbank)


def kaldi_mfcc(samples):
    options = kaldi_native_fbank.MfccOptions()
    options.use_energy = False
    return kaldi(samples, options, kaldi_native_fbank.OnlineMfcc)


NAMED = {"LIBROSA": librosa_mel, "LIBROSA_MFCC": librosa_mfcc, "KALDI": kaldi_mel, "KALDI_MFCC": kaldi_mfcc}
