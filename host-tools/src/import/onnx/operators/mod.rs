//! What each ONNX operator means in the graph: a function each, in the file of the operator that it becomes, quantised
//! forms beside the float ones.

mod activation;
mod batch_normalization;
mod binary;
mod compare;
mod concat;
mod constant;
mod conv;
mod conv_transpose;
mod cubic;
mod dropout;
mod dynamic;
mod gemm;
mod identity;
mod matmul;
mod normalization;
mod pad;
mod pool;
mod prelu;
mod qlinear;
mod quantize_linear;
mod rearrange;
mod reduce;
mod reshape;
mod resize;
mod select;
mod shape_arithmetic;
mod softmax;
mod take;
mod transpose;
mod window;

use super::attributes::NodeView;
use super::context::{Bound, Context};

/// What a handler gives: the meaning of the node's first result, or what is wrong and what to do.
type Outcome<T> = Result<T, String>;

/// Adds one node to the graph.
pub(super) type Handler = fn(&mut Context<'_>, &NodeView<'_>) -> Outcome<Bound>;

/// The handler of an operator of ONNX's own domain.
pub(super) fn handler(operator: &str) -> Option<Handler> {
    Some(match operator {
        "Add" | "Sub" | "Mul" | "Div" => binary::binary,
        "Sum" => binary::sum,
        "AveragePool" => pool::average_pool,
        "GlobalAveragePool" => pool::global_average_pool,
        "GlobalMaxPool" => pool::global_max_pool,
        "MaxPool" => pool::max_pool,
        "ReduceMax" | "ReduceMin" => reduce::extreme,
        "ReduceL1" | "ReduceL2" | "ReduceSum" | "ReduceSumSquare" => reduce::sum,
        "BatchNormalization" => batch_normalization::batch_normalization,
        "Softmax" => softmax::softmax,
        "Cast" => shape_arithmetic::cast,
        "Abs" | "Clip" | "Elu" | "Erf" | "Exp" | "Gelu" | "HardSigmoid" | "HardSwish"
        | "LeakyRelu" | "Mish" | "Reciprocal" | "Relu" | "Selu" | "Sigmoid" | "Softplus"
        | "Softsign" | "Sqrt" | "Tanh" => activation::activation,
        "Neg" => activation::negation,
        "Pow" => activation::power,
        "Swish" => activation::swish,
        "Max" | "Min" => activation::bound_by_constant,
        "PRelu" => prelu::prelu,
        "And" | "Or" | "Xor" => compare::logic,
        "Not" => compare::not,
        "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" => compare::comparison,
        "Where" => compare::choose,
        "Concat" => concat::concat,
        "Constant" => constant::constant,
        "ConstantOfShape" => constant::of_shape,
        "Conv" => conv::conv,
        "ConvTranspose" => conv_transpose::conv_transpose,
        "DepthToSpace" => rearrange::depth_to_space,
        "SpaceToDepth" => rearrange::space_to_depth,
        "GroupNormalization" => normalization::group,
        "InstanceNormalization" => normalization::instance,
        "LRN" => normalization::local_response,
        "Dropout" => dropout::dropout,
        "Expand" => select::expand,
        "Flatten" => reshape::flatten,
        "Gather" => select::gather,
        "GatherND" => select::gather_nd,
        "Gemm" => gemm::gemm,
        "Identity" => identity::identity,
        "MatMul" => matmul::matmul,
        "Pad" => pad::pad,
        "QuantizeLinear" => quantize_linear::quantize,
        "DequantizeLinear" => quantize_linear::dequantize,
        "DynamicQuantizeLinear" => dynamic::quantize,
        "ConvInteger" => dynamic::conv,
        "MatMulInteger" => dynamic::matmul,
        "QLinearConv" => conv::qlinear_conv,
        "QLinearMatMul" => matmul::qlinear_matmul,
        "ReduceMean" => reduce::mean,
        "Reshape" => reshape::reshape,
        "Resize" | "Upsample" => resize::resize,
        "Shape" => shape_arithmetic::shape,
        "Slice" => select::slice,
        "Split" => select::split,
        "Squeeze" => reshape::squeeze,
        "Tile" => select::tile,
        "Transpose" => transpose::transpose,
        "Unsqueeze" => reshape::unsqueeze,
        _ => return None,
    })
}

/// The handler of an operator that ONNX Runtime adds.
pub(super) fn handler_of_onnx_runtime(operator: &str) -> Option<Handler> {
    Some(match operator {
        "QuantizeLinear" => quantize_linear::quantize,
        "DequantizeLinear" => quantize_linear::dequantize,
        "QGemm" => gemm::qgemm,
        "QLinearAdd" | "QLinearMul" => binary::qlinear_binary,
        "QLinearAveragePool" => pool::qlinear_average_pool,
        "QLinearConcat" => concat::qlinear_concat,
        "QLinearConv" => conv::qlinear_conv,
        "QLinearGlobalAveragePool" => pool::qlinear_global_average_pool,
        "QLinearLeakyRelu" | "QLinearSigmoid" => activation::qlinear_activation,
        "FusedConv" => conv::fused_conv,
        "Gelu" => activation::activation,
        _ => return None,
    })
}

/// What could be done about an operator that has no handler.
pub(super) fn advice(domain: &str, operator: &str) -> String {
    if operator.ends_with("Integer") || operator.starts_with("Dynamic") {
        return "a model that is quantised while it runs has no scales of its own: quantise it statically, \
                or pass the float model that it was made from"
            .to_owned();
    }
    if operator.starts_with("QLinear") {
        return "quantise the model with QuantizeLinear and DequantizeLinear around its float operators \
                (QuantFormat.QDQ)"
            .to_owned();
    }
    match operator {
        _ if domain == "com.microsoft" || domain == "com.microsoft.nchwc" => {
            "this model was optimised for ONNX Runtime: pass the model as it was exported"
                .to_owned()
        }
        _ if !domain.is_empty() => {
            format!("operators of the domain {domain:?} are private: export with ONNX's own")
        }
        "If" | "Loop" | "Scan" => "control flow cannot be planned: export the model for one fixed \
                                   input shape, or run a simplifier over it"
            .to_owned(),
        "LSTM" | "GRU" | "RNN" => {
            "freeze at a tensor before this node by cutting the model there, or choose a model \
             without it"
                .to_owned()
        }
        _ => "cut the model before this node, or choose a model without it".to_owned(),
    }
}

/// Why a function that reads several operators refuses one that it does not know.
fn unknown(operator: &str) -> String {
    format!("{operator} has no meaning here: cut the model before this node")
}

/// A whole number that may not be negative.
fn extent(name: &str, value: i64) -> Outcome<usize> {
    usize::try_from(value).map_err(|_| format!("{name} of {value}"))
}
