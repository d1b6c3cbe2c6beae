//! What of a TensorFlow Lite model is needed, by the numbers of the fields in its schema
//! (`tensorflow/lite/schema/schema.fbs`, version 3).

use std::fmt;

use headstart::graph::{MAX_RANK, elements};

use super::flatbuffer::{Damage, Table, Tables};
use crate::error::Problem;

/// Most operators of a model.
const MAX_OPERATORS: usize = 20_000;
/// Most tensors of a model.
const MAX_TENSORS: usize = 100_000;
/// Most operands of all operators together.
const MAX_OPERANDS: usize = 100_000;
/// Most scales of all tensors together.
const MAX_SCALES: usize = 1 << 22;
/// Longest name of a tensor, and all names together, in bytes.
const MAX_NAME_BYTES: usize = 4096;
const MAX_NAMES_BYTES: usize = 1 << 24;

/// The types of elements that have a meaning here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Float32,
    Float16,
    Int32,
    Int64,
    Int8,
    Uint8,
    /// Yes and no.
    Bool,
    /// Any other, by its number in the schema.
    Other(i8),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Int8 => "int8",
            Self::Uint8 => "uint8",
            Self::Bool => "bool",
            Self::Other(5) => "text",
            Self::Other(7) => "int16",
            Self::Other(8 | 11) => "complex numbers",
            Self::Other(10) => "float64",
            Self::Other(12) => "uint64",
            Self::Other(13) => "a resource",
            Self::Other(14) => "a variant",
            Self::Other(15) => "uint32",
            Self::Other(16) => "uint16",
            Self::Other(17) => "int4",
            Self::Other(18) => "bfloat16",
            Self::Other(19) => "int2",
            Self::Other(20) => "uint4",
            Self::Other(21 | 22) => "float8",
            Self::Other(number) => return write!(f, "type number {number}"),
        })
    }
}

/// A tensor.
#[derive(Clone, Debug)]
pub(super) struct Tensor<'a> {
    pub(super) name: &'a str,
    pub(super) shape: Vec<usize>,
    pub(super) kind: Kind,
    /// Its bytes, if it is constant.
    pub(super) data: Option<&'a [u8]>,
    pub(super) scales: Vec<f32>,
    pub(super) zero_points: Vec<i64>,
    /// The axis along which several scales stand.
    pub(super) axis: usize,
    /// Where the stored elements stand, if zeros are left out.
    pub(super) sparsity: Option<Table<'a>>,
    /// The first dimension behind the batch that the file leaves open.
    pub(super) open: Option<usize>,
}

/// An operator.
#[derive(Clone, Debug)]
pub(super) struct Operator<'a> {
    /// Its number in the schema.
    pub(super) code: i32,
    /// The name of one that is not in the schema.
    pub(super) custom: &'a str,
    /// Its operands; `None` for one that is left out.
    pub(super) inputs: Vec<Option<usize>>,
    pub(super) outputs: Vec<usize>,
    pub(super) options: Option<Table<'a>>,
    /// Where it stands in the file.
    pub(super) byte: usize,
}

/// The first graph of a model.
#[derive(Clone, Debug)]
pub(super) struct Model<'a> {
    pub(super) tensors: Vec<Tensor<'a>>,
    pub(super) operators: Vec<Operator<'a>>,
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Vec<usize>,
    pub(super) description: &'a str,
}

/// How much of what can be shared within a file was taken in all.
#[derive(Default)]
struct Taken {
    operands: usize,
    scales: usize,
    names: usize,
}

impl<'a> Model<'a> {
    /// Reads the tables of a file.
    ///
    /// # Errors
    ///
    /// [`Problem::NotTflite`] with the byte that does not fit, [`Problem::Limit`], and [`Problem::Model`] for a
    /// file without a graph.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Problem> {
        if bytes.get(4..8) != Some(b"TFL3") {
            return Err(damage(Damage {
                byte: 4,
                what: "no 'TFL3', which TensorFlow Lite files have here",
            }));
        }
        let root = Table::root(bytes).map_err(damage)?;
        let codes = root.tables(1).map_err(damage)?;
        let graphs = root.tables(2).map_err(damage)?;
        let buffers = root.tables(4).map_err(damage)?;
        // Others are the branches and bodies of control flow, which the first one's operators call.
        let Some(graph) = graphs.at(0).map_err(damage)? else {
            return Err(Problem::Model(
                "the file holds no graph: convert the model again".to_owned(),
            ));
        };
        let mut taken = Taken::default();
        let tensors = graph.tables(0).map_err(damage)?;
        Problem::check_limit("the model has too many tensors", tensors.count, MAX_TENSORS)?;
        let operators = graph.tables(3).map_err(damage)?;
        Problem::check_limit("the model has too many operators", operators.count, MAX_OPERATORS)?;
        let mut model = Self {
            tensors: Vec::with_capacity(tensors.count),
            operators: Vec::with_capacity(operators.count),
            inputs: indices(&graph, 1, tensors.count, &mut taken)?.into_iter().flatten().collect(),
            outputs: indices(&graph, 2, tensors.count, &mut taken)?.into_iter().flatten().collect(),
            description: root.text(3).map_err(damage)?,
        };
        for index in 0..tensors.count {
            let Some(table) = tensors.at(index).map_err(damage)? else { break };
            model.tensors.push(tensor(&table, &buffers, &mut taken)?);
        }
        for index in 0..operators.count {
            let Some(table) = operators.at(index).map_err(damage)? else { break };
            model.operators.push(operator(&table, &codes, tensors.count, &mut taken)?);
        }
        Ok(model)
    }
}

/// The problem of a damaged file.
pub(super) fn damage(found: Damage) -> Problem {
    Problem::NotTflite { byte: found.byte, what: found.what }
}

/// Numbers of tensors; −1 stands for none.
fn indices(
    table: &Table<'_>,
    slot: usize,
    tensors: usize,
    taken: &mut Taken,
) -> Result<Vec<Option<usize>>, Problem> {
    let list = table.words(slot).map_err(damage)?;
    taken.operands = taken.operands.saturating_add(list.len());
    Problem::check_limit(
        "the operators of the model have too many operands",
        taken.operands,
        MAX_OPERANDS,
    )?;
    let index = |&word: &[u8; 4]| match i32::from_le_bytes(word) {
        -1 => Ok(None),
        index => usize::try_from(index)
            .ok()
            .filter(|&index| index < tensors)
            .map(Some)
            .ok_or(damage(Damage { byte: table.at, what: "a tensor that does not exist" })),
    };
    list.iter().map(index).collect()
}

fn tensor<'a>(
    table: &Table<'a>,
    buffers: &Tables<'a>,
    taken: &mut Taken,
) -> Result<Tensor<'a>, Problem> {
    let name = table.text(3).map_err(damage)?;
    Problem::check_limit("the model has names of too many bytes", name.len(), MAX_NAME_BYTES)?;
    taken.names = taken.names.saturating_add(name.len());
    Problem::check_limit(
        "the model has names of too many bytes in all",
        taken.names,
        MAX_NAMES_BYTES,
    )?;
    let extents = table.words(0).map_err(damage)?;
    Problem::check_limit("a tensor has too many dimensions", extents.len(), MAX_RANK)?;
    let extent = |&word: &[u8; 4]| {
        let stated = i32::from_le_bytes(word);
        usize::try_from(stated)
            .map_err(|_| Problem::tensor(name, format!("has a dimension of {stated}")))
    };
    let shape = extents.iter().map(extent).collect::<Result<Vec<_>, _>>()?;
    elements(&shape).map_err(|error| Problem::tensor(name, error.to_string()))?;
    let kind = match table.i8(1).map_err(damage)? {
        0 => Kind::Float32,
        1 => Kind::Float16,
        2 => Kind::Int32,
        3 => Kind::Uint8,
        4 => Kind::Int64,
        6 => Kind::Bool,
        9 => Kind::Int8,
        other => Kind::Other(other),
    };
    let buffer = buffers.at(table.u32(2).map_err(damage)? as usize).map_err(damage)?;
    let data: &[u8] = match buffer {
        None => &[],
        Some(buffer) if buffer.u64(1).map_err(damage)? > 1 => {
            return Err(Problem::tensor(
                name,
                "has its data behind the model, as files of more than 2 GB do",
            ));
        }
        Some(buffer) => buffer.bytes(0).map_err(damage)?,
    };
    let (mut scales, mut zero_points, mut axis) = (Vec::new(), Vec::new(), 0);
    if let Some(quantisation) = table.table(4).map_err(damage)? {
        let found = quantisation.words(2).map_err(damage)?;
        let zeros = quantisation.long_words(3).map_err(damage)?;
        taken.scales = taken.scales.saturating_add(found.len().saturating_add(zeros.len()));
        Problem::check_limit(
            "the tensors of the model have too many scales",
            taken.scales,
            MAX_SCALES,
        )?;
        scales = found.iter().map(|&word| f32::from_le_bytes(word)).collect();
        zero_points = zeros.iter().map(|&word| i64::from_le_bytes(word)).collect();
        axis = usize::try_from(quantisation.i32(6, 0).map_err(damage)?).unwrap_or(usize::MAX);
    }
    let sparsity = table.table(6).map_err(damage)?;
    let signature = table.words(7).map_err(damage)?.iter().map(|&word| i32::from_le_bytes(word));
    let open = signature.enumerate().skip(1).find(|&(_, extent)| extent < 0).map(|(axis, _)| axis);
    let data = (!data.is_empty()).then_some(data);
    Ok(Tensor { name, shape, kind, data, scales, zero_points, axis, sparsity, open })
}

fn operator<'a>(
    table: &Table<'a>,
    codes: &Tables<'a>,
    tensors: usize,
    taken: &mut Taken,
) -> Result<Operator<'a>, Problem> {
    let number = table.u32(0).map_err(damage)? as usize;
    let code = codes.at(number).map_err(damage)?.ok_or_else(|| {
        damage(Damage { byte: table.at, what: "an operator whose kind does not exist" })
    })?;
    // The older field has one byte, and 127 where the newer one must be read.
    let (old, new) = (code.i8(0).map_err(damage)?, code.i32(3, 0).map_err(damage)?);
    Ok(Operator {
        code: new.max(i32::from(old)),
        custom: code.text(1).map_err(damage)?,
        inputs: indices(table, 1, tensors, taken)?,
        outputs: indices(table, 2, tensors, taken)?.into_iter().flatten().collect(),
        options: table.table(4).map_err(damage)?,
        byte: table.at,
    })
}
