//! Operators of two operands, and tensors side by side.

use headstart::graph::{Binary, Node as GraphNode, ValueId};
use headstart::network::{Binary as LoweredBinary, BinaryOp, Node};

use super::join::{MOST_AXES, alike, around};
use super::{Lowering, Why, ratio};
use crate::quantise::lowered::{LoweredNode, channels_last};

impl Lowering<'_> {
    pub(super) fn binary(&mut self, node: &GraphNode, op: Binary) -> Result<(), Why> {
        let [a, b] = node.inputs[..] else { return Err("two operands are needed".into()) };
        match (self.constant(a), self.constant(b)) {
            (None, None) => self.binary_of_computed(node, op, a, b),
            (None, Some(constant)) => self.with_constant(node, op, a, b, constant, false),
            (Some(constant), None) => self.with_constant(node, op, b, a, constant, true),
            (Some(_), Some(_)) => Err("both operands are constant".into()),
        }
    }

    fn binary_of_computed(
        &mut self,
        node: &GraphNode,
        op: Binary,
        a: ValueId,
        b: ValueId,
    ) -> Result<(), Why> {
        let (mut va, mut vb) = (self.view(a)?, self.view(b)?);
        let unlike = format!("operands of {:?} and {:?}", va.dims, vb.dims);
        if va.dims.len() == vb.dims.len() && va.dims.len() > MOST_AXES {
            let [joined_a, joined_b] = alike(&va.dims, &vb.dims);
            (va, vb) = (self.reshaped(&va, &joined_a)?, self.reshaped(&vb, &joined_b)?);
        }
        let rank = va.dims.len();
        if rank != vb.dims.len() || rank > MOST_AXES {
            return Err(unlike.into());
        }
        let larger = if va.elements() >= vb.elements() { &va } else { &vb };
        let straight: Vec<usize> = (0..rank).collect();
        let order = if !larger.lies_in(&channels_last(rank)) && larger.lies_in(&straight) {
            straight
        } else {
            channels_last(rank)
        };
        let (a, b) = (self.in_order(&va, &order)?, self.in_order(&vb, &order)?);
        let (output, min, max) = self.fused_clamp(node);
        let to = self.range(output)?;
        let (min, max) = Self::clamp(to, min, max);
        let (from_a, from_b) = (self.quantisation(a).scale, self.quantisation(b).scale);
        let product = (f64::from(from_a) * f64::from(from_b) / f64::from(to.scale)) as f32;
        let quotient = (f64::from(from_a) / f64::from(from_b) / f64::from(to.scale)) as f32;
        let (op, scale_a, scale_b) = match op {
            Binary::Add => (BinaryOp::Add, ratio(from_a, to.scale), ratio(from_b, to.scale)),
            Binary::Sub => (BinaryOp::Add, ratio(from_a, to.scale), -ratio(from_b, to.scale)),
            Binary::Mul => (BinaryOp::Mul, product, 1.0),
            Binary::Div => (BinaryOp::Div, quotient, 1.0),
        };
        let lowered = LoweredBinary { op, a, b, scale_a, scale_b, min, max };
        let dims = va.dims.iter().zip(&vb.dims).map(|(&a, &b)| a.max(b)).collect();
        self.define_as(output, LoweredNode::Plain(Node::Binary(lowered)), dims, &order, to)
    }

    /// One operand is constant: a table if it is one number, else a factor or offset a channel.
    fn with_constant(
        &mut self,
        node: &GraphNode,
        op: Binary,
        x: ValueId,
        constant_id: ValueId,
        constant: &[f32],
        reversed: bool,
    ) -> Result<(), Why> {
        if let [c] = *constant {
            let c = f64::from(c);
            let function = move |x| apply(op, x, c, reversed);
            return match (op, reversed) {
                (Binary::Mul, _) | (Binary::Div, false) => self.homogeneous(node, x, function),
                _ => self.table(node, x, function),
            };
        }
        let dims = self.dims(x)?;
        let shape = &self.graph.values[constant_id].shape;
        let missing = (dims.len() + 1).saturating_sub(shape.len());
        let varying: Vec<usize> =
            (0..shape.len()).filter(|&i| shape[i] > 1).map(|i| i + missing).collect();
        let axis = match varying[..] {
            [axis] if axis > 0 && dims.get(axis - 1) == Some(&constant.len()) => axis - 1,
            _ => {
                return Err(format!(
                    "a constant of shape {shape:?} that is neither one number nor one a channel"
                )
                .into());
            }
        };
        let ones = || vec![1.0; constant.len()];
        let zeros = || vec![0.0; constant.len()];
        let negated = || constant.iter().map(|c| -c).collect::<Vec<_>>();
        let (factors, offsets) = match (op, reversed) {
            (Binary::Add, _) => (ones(), constant.to_vec()),
            (Binary::Sub, false) => (ones(), negated()),
            (Binary::Sub, true) => (vec![-1.0; constant.len()], constant.to_vec()),
            (Binary::Mul, _) => (constant.to_vec(), zeros()),
            (Binary::Div, false) => (constant.iter().map(|c| 1.0 / c).collect(), zeros()),
            (Binary::Div, true) => {
                let constants = constant.to_vec();
                return self.channel_tables(node, x, axis, constants.len(), move |channel, x| {
                    f64::from(constants[channel]) / x
                });
            }
        };
        self.affine(node, x, axis, factors, offsets)
    }

    pub(super) fn concat(&mut self, node: &GraphNode, axis: usize) -> Result<(), Why> {
        let axis = axis.checked_sub(1).ok_or("tensors side by side along the batch")?;
        let to = self.range(node.output)?;
        let mut dims = self.dims(node.output)?;
        let (own, mut axis) = (axis, axis);
        let joins = dims.len() > MOST_AXES;
        // Groups of channels are channels.
        let of_groups = own == 0 && dims.len() == MOST_AXES + 1;
        let joined = |dims: &[usize]| match of_groups {
            true => [&[dims[0] * dims[1]], &dims[2..]].concat(),
            false => around(dims, own),
        };
        if joins {
            (dims, axis) = (joined(&dims), usize::from(!of_groups));
        }
        let rank = dims.len();
        let order = channels_last(rank);
        let mut operands = Vec::with_capacity(node.inputs.len());
        for &input in &node.inputs {
            let mut view = self.view(input)?;
            if joins {
                view = self.reshaped(&view, &joined(&view.dims))?;
            }
            let value = self.in_order(&view, &order)?;
            operands.push((value, ratio(self.quantisation(value).scale, to.scale)));
        }
        // Two axes are rows and channels, one is channels: see `extents`.
        let position = order.iter().position(|&a| a == axis).ok_or("an axis that it has not")?;
        let axis = match (rank, position) {
            (3, position) => position as u8,
            (2, 0) => 0,
            _ => 2,
        };
        self.define_as(node.output, LoweredNode::Concat { axis, operands }, dims, &order, to)
    }
}

fn apply(op: Binary, x: f64, c: f64, reversed: bool) -> f64 {
    let (a, b) = if reversed { (c, x) } else { (x, c) };
    match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
    }
}
