use headstart::graph::Gemm;
use rten_onnx::onnx::NodeProto;

use super::attributes::{float, int};

pub(super) fn write(gemm: &Gemm, proto: &mut NodeProto) {
    proto.attribute = vec![
        float("alpha", gemm.alpha),
        float("beta", gemm.beta),
        int("transA", usize::from(gemm.trans_a)),
        int("transB", usize::from(gemm.trans_b)),
    ];
}
