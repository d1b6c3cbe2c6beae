//! Comparisons, and choices by them: known before the model runs, or a step and products with its 0 and 1.

use std::cmp::Ordering;

use headstart::graph::{Activation, Binary, Op, ValueId};

use super::super::integers::{Comparison, IntegerType, Integers, Logic, MAX_INTEGERS};
use super::{Bound, Context, NodeView, Outcome, unknown};
use crate::import::imported::{Data, Tensor};
use crate::import::scales::STEEP;

/// What is said of numbers that are asked to be the same.
const EQUAL: &str = "numbers that the model computes are hardly ever equal; freeze at a tensor before this node, or export the model \
                     with Greater or Less";

/// `Equal`, `Greater`, `Less` and the two between: of known integers or floats, else a step of the difference.
pub(super) fn comparison(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let comparison = Comparison::of(node.operator()).ok_or_else(|| unknown(node.operator()))?;
    if let (Bound::Integers(a), Bound::Integers(b)) =
        (context.operand(node, 0)?, context.operand(node, 1)?)
    {
        let result = a.compare(comparison, b)?;
        return context.integers_result(result);
    }
    let (a, b) = (context.float(node, 0)?, context.float(node, 1)?);
    let known = |value: ValueId| context.graph.values[value].constant.as_deref();
    if let (Some(of_a), Some(of_b)) = (known(a), known(b)) {
        let shape = match (of_a.len(), of_b.len()) {
            (_, 1) => context.shape(a).to_vec(),
            (1, _) => context.shape(b).to_vec(),
            _ if context.shape(a) == context.shape(b) => context.shape(a).to_vec(),
            _ => return Err("of constants of several shapes; export it with them folded".into()),
        };
        let count = of_a.len().max(of_b.len());
        if count > MAX_INTEGERS {
            return Err(format!("of {count} known elements; at most {MAX_INTEGERS} are supported"));
        }
        let order = |at: usize| of_a[at % of_a.len()].partial_cmp(&of_b[at % of_b.len()]);
        let data = (0..count).map(|at| i64::from(comparison.holds(order(at)))).collect();
        let kind = IntegerType::Bool;
        return context.integers_result(Integers { shape, data, kind });
    }
    // Above 0 or from 0 on, of one difference or the other.
    let (first, second, beta) = match comparison {
        Comparison::Equal => return Err(EQUAL.to_owned()),
        Comparison::Greater => (a, b, 0.0),
        Comparison::GreaterOrEqual => (a, b, 1.0),
        Comparison::Less => (b, a, 0.0),
        Comparison::LessOrEqual => (b, a, 1.0),
    };
    let difference = Op::Binary(Binary::Sub);
    let difference = context.derived(node, "difference", difference, vec![first, second])?;
    let step = Op::Activation(Activation::HardSigmoid { alpha: STEEP, beta });
    truths(context.add(node, step, vec![difference])?)
}

/// `And`, `Or` and `Xor`, of known answers or of computed ones.
pub(super) fn logic(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let logic = match node.operator() {
        "And" => Logic::And,
        "Or" => Logic::Or,
        "Xor" => Logic::Xor,
        other => return Err(unknown(other)),
    };
    if let (Bound::Integers(a), Bound::Integers(b)) =
        (context.operand(node, 0)?, context.operand(node, 1)?)
    {
        let result = a.logic(logic, b)?;
        return context.integers_result(result);
    }
    let (a, b) = (answer(context, node, 0)?, answer(context, node, 1)?);
    let binary = |op| Op::Binary(op);
    let result = match logic {
        Logic::And => context.add(node, binary(Binary::Mul), vec![a, b])?,
        Logic::Or => {
            let sum = context.derived(node, "sum", binary(Binary::Add), vec![a, b])?;
            let clip = Activation::Clip { min: 0.0, max: 1.0 };
            context.add(node, Op::Activation(clip), vec![sum])?
        }
        Logic::Xor => {
            let apart = context.derived(node, "apart", binary(Binary::Sub), vec![a, b])?;
            let size = Activation::LeakyRelu { alpha: -1.0 };
            context.add(node, Op::Activation(size), vec![apart])?
        }
    };
    truths(result)
}

/// `Not`.
pub(super) fn not(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    if let Bound::Integers(x) = context.operand(node, 0)? {
        let result = x.clone().not()?;
        return context.integers_result(result);
    }
    let x = answer(context, node, 0)?;
    let one = context.derived_constant(node, "one", vec![], vec![1.0])?;
    truths(context.add(node, Op::Binary(Binary::Sub), vec![one, x])?)
}

/// `Max` and `Min` of known integers.
pub(super) fn extreme_of_known(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    is_max: bool,
) -> Outcome<Option<Bound>> {
    let side = if is_max { Ordering::Greater } else { Ordering::Less };
    let mut found: Option<Integers> = None;
    for index in 0..node.inputs().len() {
        let Bound::Integers(next) = context.operand(node, index)? else { return Ok(None) };
        found = Some(match found {
            Some(found) => found.extreme(side, next)?,
            None => next.clone(),
        });
    }
    found.map(|found| context.integers_result(found)).transpose()
}

/// `Where`: of two tensors, by a mask that is known or computed. What is computed is multiplied by 1 where it is chosen and by 0 where it
/// is not, and both are added.
pub(super) fn choose(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let mask = context.operand(node, 0)?.clone();
    if let (Bound::Integers(mask), Bound::Integers(a), Bound::Integers(b)) =
        (&mask, context.operand(node, 1)?, context.operand(node, 2)?)
    {
        let result = mask.choose(a, b)?;
        return context.integers_result(result);
    }
    let sides = [context.float(node, 1)?, context.float(node, 2)?];
    match mask {
        Bound::Integers(mask) if mask.kind == IntegerType::Bool => {
            by_known(context, node, &mask, sides)
        }
        Bound::Indices(mask, IntegerType::Bool) => by_computed(context, node, mask, sides),
        _ => Err("its mask is not of yes and no".to_owned()),
    }
}

fn by_known(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    mask: &Integers,
    sides: [ValueId; 2],
) -> Outcome<Bound> {
    let result = broadcast(context, &mask.shape, sides)?;
    let (all, none) = (mask.data.iter().all(|&x| x != 0), mask.data.iter().all(|&x| x == 0));
    for (is_whole, side) in [(all, sides[0]), (none, sides[1])] {
        if is_whole && context.shape(side) == result {
            return Ok(Bound::Float(side));
        }
    }
    let known = sides.map(|side| context.graph.values[side].constant.clone());
    if let [Some(a), Some(b)] = &known {
        let data = chosen(context, mask, &result, [(sides[0], &a[..]), (sides[1], &b[..])])?;
        return context.constant(node.output(), Tensor { shape: result, data: Data::Floats(data) });
    }
    let mut parts = Vec::new();
    for (at, side) in sides.into_iter().enumerate() {
        let is_own = |&x: &i64| f32::from(u8::from((x != 0) == (at == 0)));
        let what = ["first", "second"][at];
        parts.push(match &known[at] {
            None => {
                let shares = mask.data.iter().map(is_own).collect();
                let name = format!("{what}_mask");
                let shares = context.derived_constant(node, &name, mask.shape.clone(), shares)?;
                (Op::Binary(Binary::Mul), vec![side, shares])
            }
            Some(data) => {
                let zero = (side, &[0.0][..]);
                let own = (side, &data[..]);
                let pair = if at == 0 { [own, zero] } else { [zero, own] };
                let data = chosen(context, mask, &result, pair)?;
                if data.iter().all(|&x| x == 0.0) {
                    continue;
                }
                let added = context.derived_constant(node, what, result.clone(), data)?;
                (Op::Binary(Binary::Add), vec![added])
            }
        });
    }
    match parts.len() {
        1 => {
            let (op, inputs) = parts.remove(0);
            context.add(node, op, inputs)
        }
        _ => {
            let mut sum = Vec::new();
            for ((op, inputs), what) in parts.into_iter().zip(["chosen", "other"]) {
                match inputs[..] {
                    [constant] => sum.push(constant),
                    _ => sum.push(context.derived(node, what, op, inputs)?),
                }
            }
            context.add(node, Op::Binary(Binary::Add), sum)
        }
    }
}

/// What a known mask chooses of constants that broadcast to `shape`; one of a single element is that everywhere.
fn chosen(
    context: &mut Context<'_>,
    mask: &Integers,
    shape: &[usize],
    sides: [(ValueId, &[f32]); 2],
) -> Outcome<Vec<f32>> {
    let count = headstart::graph::elements(shape).map_err(|error| error.to_string())?;
    context.take_work(count as u64)?;
    context.take_made(count)?;
    let one = [1; 0];
    let place = |own: &[usize], at: usize| {
        let (mut at, mut found, mut stride) = (at, 0, 1);
        for (axis, &extent) in shape.iter().enumerate().rev() {
            let own = (axis + own.len()).checked_sub(shape.len()).map_or(1, |axis| own[axis]);
            found += at % extent % own * stride;
            stride *= own;
            at /= extent;
        }
        found
    };
    let of = |(side, data): (ValueId, &[f32]), at: usize| {
        let own: &[usize] = if data.len() == 1 { &one } else { context.shape(side) };
        data[place(own, at)]
    };
    let choose = |at: usize| of(sides[usize::from(mask.data[place(&mask.shape, at)] == 0)], at);
    Ok((0..count).map(choose).collect())
}

fn by_computed(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    mask: ValueId,
    sides: [ValueId; 2],
) -> Outcome<Bound> {
    broadcast(context, context.shape(mask), sides)?;
    let mut parts = Vec::new();
    for (at, side) in sides.into_iter().enumerate() {
        let known = context.graph.values[side].constant.as_deref();
        if known.is_some_and(|data| data.iter().all(|&x| x == 0.0)) {
            continue;
        }
        let mask = if at == 0 {
            mask
        } else {
            let one = context.derived_constant(node, "one", vec![], vec![1.0])?;
            context.derived(node, "not", Op::Binary(Binary::Sub), vec![one, mask])?
        };
        parts.push(vec![side, mask]);
    }
    let times = Op::Binary(Binary::Mul);
    match &mut parts[..] {
        [one] => context.add(node, times, std::mem::take(one)),
        [a, b] => {
            let a = context.derived(node, "first", times.clone(), std::mem::take(a))?;
            let b = context.derived(node, "second", times, std::mem::take(b))?;
            context.add(node, Op::Binary(Binary::Add), vec![a, b])
        }
        _ => Err("a choice between zeros".to_owned()),
    }
}

/// Computed answers of operand `index` as 0 and 1.
fn answer(context: &Context<'_>, node: &NodeView<'_>, index: usize) -> Outcome<ValueId> {
    match context.operand(node, index)? {
        &Bound::Indices(value, IntegerType::Bool) => Ok(value),
        Bound::Integers(_) => Err(
            "of answers that are known and of computed ones; export the model with its constants \
                                   folded"
                .to_owned(),
        ),
        _ => Err(format!("operand {index} is not of yes and no")),
    }
}

fn truths(bound: Bound) -> Outcome<Bound> {
    match bound {
        Bound::Float(value) => Ok(Bound::Indices(value, IntegerType::Bool)),
        bound => Ok(bound),
    }
}

/// The shape of a mask and two tensors together.
fn broadcast(context: &Context<'_>, mask: &[usize], sides: [ValueId; 2]) -> Outcome<Vec<usize>> {
    let shapes = [mask, context.shape(sides[0]), context.shape(sides[1])];
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    (0..rank)
        .map(|axis| {
            let extents = shapes
                .map(|shape| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]));
            let most = extents.into_iter().find(|&extent| extent != 1).unwrap_or(1);
            match extents.iter().all(|&extent| extent == 1 || extent == most) {
                true => Ok(most),
                false => Err(format!("{:?}, {:?} and {:?}", shapes[0], shapes[1], shapes[2])),
            }
        })
        .collect()
}
