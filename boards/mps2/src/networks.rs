//! The layers of four small networks, as far as their instructions go: what is in MLPerf Tiny, and a MobileNetV2.

/// So many layers alike.
pub(crate) struct Layers {
    pub(crate) count: u16,
    /// Rows and columns of the result.
    pub(crate) extents: [u16; 2],
    /// Inputs and outputs of a group; no inputs: a sum of two operands.
    pub(crate) channels: [u16; 2],
    pub(crate) groups: u16,
    pub(crate) kernel: [u16; 2],
    pub(crate) stride: u16,
}

const fn conv(
    count: u16,
    extents: [u16; 2],
    channels: [u16; 2],
    kernel: [u16; 2],
    stride: u16,
) -> Layers {
    Layers { count, extents, channels, groups: 1, kernel, stride }
}

const fn point(count: u16, extents: [u16; 2], channels: [u16; 2]) -> Layers {
    conv(count, extents, channels, [1, 1], 1)
}

const fn depthwise(count: u16, extents: [u16; 2], groups: u16, stride: u16) -> Layers {
    Layers { groups, ..conv(count, extents, [1, 1], [3, 3], stride) }
}

const fn sum(count: u16, extents: [u16; 2], channels: u16) -> Layers {
    point(count, extents, [0, channels])
}

/// Keyword spotting, MobileNetV2 of width 0.15 (`mltk_keyword_spotting_mobilenetv2`).
pub(crate) const KWS: &[Layers] = &[
    conv(1, [30, 25], [1, 8], [3, 3], 2),
    depthwise(1, [30, 25], 8, 1),
    point(1, [30, 25], [8, 8]),
    sum(1, [30, 25], 8),
    point(1, [30, 25], [8, 48]),
    depthwise(1, [15, 13], 48, 2),
    point(2, [15, 13], [48, 8]),
    point(2, [15, 13], [8, 48]),
    depthwise(1, [15, 13], 48, 1),
    sum(1, [15, 13], 8),
    depthwise(1, [8, 7], 48, 2),
    point(3, [8, 7], [48, 8]),
    point(3, [8, 7], [8, 48]),
    depthwise(2, [8, 7], 48, 1),
    sum(2, [8, 7], 8),
    depthwise(1, [4, 4], 48, 2),
    point(1, [4, 4], [48, 16]),
    point(7, [4, 4], [16, 96]),
    depthwise(6, [4, 4], 96, 1),
    point(6, [4, 4], [96, 16]),
    sum(6, [4, 4], 16),
    depthwise(1, [2, 2], 96, 2),
    point(1, [2, 2], [96, 24]),
    point(3, [2, 2], [24, 144]),
    depthwise(3, [2, 2], 144, 1),
    point(2, [2, 2], [144, 24]),
    sum(2, [2, 2], 24),
    point(1, [2, 2], [144, 48]),
    point(1, [2, 2], [48, 384]),
];

/// Visual wake words, MobileNetV1 of width 0.25 (`mltk_visual_wake_words`).
pub(crate) const VWW: &[Layers] = &[
    conv(1, [48, 48], [3, 8], [3, 3], 2),
    depthwise(1, [48, 48], 8, 1),
    point(1, [48, 48], [8, 16]),
    depthwise(1, [24, 24], 16, 2),
    point(1, [24, 24], [16, 32]),
    depthwise(1, [24, 24], 32, 1),
    point(1, [24, 24], [32, 32]),
    depthwise(1, [12, 12], 32, 2),
    point(1, [12, 12], [32, 64]),
    depthwise(1, [12, 12], 64, 1),
    point(1, [12, 12], [64, 64]),
    depthwise(1, [6, 6], 64, 2),
    point(1, [6, 6], [64, 128]),
    depthwise(5, [6, 6], 128, 1),
    point(5, [6, 6], [128, 128]),
    depthwise(1, [3, 3], 128, 2),
    point(1, [3, 3], [128, 256]),
    depthwise(1, [3, 3], 256, 1),
    point(1, [3, 3], [256, 256]),
];

/// Image classification, ResNet-8 (`mltk_image_classification`).
pub(crate) const RESNET8: &[Layers] = &[
    conv(1, [32, 32], [3, 16], [3, 3], 1),
    conv(2, [32, 32], [16, 16], [3, 3], 1),
    sum(1, [32, 32], 16),
    conv(1, [16, 16], [16, 32], [3, 3], 2),
    conv(1, [16, 16], [32, 32], [3, 3], 1),
    conv(1, [16, 16], [16, 32], [1, 1], 2),
    sum(1, [16, 16], 32),
    conv(1, [8, 8], [32, 64], [3, 3], 2),
    conv(1, [8, 8], [64, 64], [3, 3], 1),
    conv(1, [8, 8], [32, 64], [1, 1], 2),
    sum(1, [8, 8], 64),
];

/// Keyword spotting, DS-CNN (`mltk_keyword_spotting`).
pub(crate) const DS_CNN: &[Layers] = &[
    conv(1, [25, 5], [1, 64], [10, 4], 2),
    depthwise(4, [25, 5], 64, 1),
    point(4, [25, 5], [64, 64]),
];
