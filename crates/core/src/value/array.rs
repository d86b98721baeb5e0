//! N-dimensional arrays of numbers, as numpy lays them out.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::fault::Fault;

/// The type of an array's elements, named as numpy does; multi-byte ones are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// `|b1`, one byte each, 0 or 1.
    Bool,
    /// `|i1`
    I8,
    /// `<i2`
    I16,
    /// `<i4`
    I32,
    /// `<i8`
    I64,
    /// `|u1`
    U8,
    /// `<u2`
    U16,
    /// `<u4`
    U32,
    /// `<u8`
    U64,
    /// `<f4`
    F32,
    /// `<f8`
    F64,
}

impl ElementType {
    pub(crate) const ALL: [Self; 11] = [
        Self::Bool,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::F32,
        Self::F64,
    ];

    /// numpy's name, which is also the one on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "|b1",
            Self::I8 => "|i1",
            Self::I16 => "<i2",
            Self::I32 => "<i4",
            Self::I64 => "<i8",
            Self::U8 => "|u1",
            Self::U16 => "<u2",
            Self::U32 => "<u4",
            Self::U64 => "<u8",
            Self::F32 => "<f4",
            Self::F64 => "<f8",
        }
    }

    /// The type of that name; `None` for any other, such as big-endian ones and structures.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|element| element.name() == name)
    }

    /// Bytes per element.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A number that can stand in an [`Array`].
pub trait Element: Copy {
    /// Its type on the wire.
    const TYPE: ElementType;
    /// Reads one element from exactly [`ElementType::size`] bytes.
    fn read(bytes: &[u8]) -> Self;
    /// Appends the element's bytes.
    fn write(self, out: &mut Vec<u8>);
}

macro_rules! element {
    ($($type:ty, $element:ident;)*) => {$(
        impl Element for $type {
            const TYPE: ElementType = ElementType::$element;
            fn read(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("cut to the element's size"))
            }
            fn write(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}

element! { i8, I8; i16, I16; i32, I32; i64, I64; u8, U8; u16, U16; u32, U32; u64, U64; f32, F32; f64, F64; }

impl Element for bool {
    const TYPE: ElementType = ElementType::Bool;
    fn read(bytes: &[u8]) -> Self {
        bytes != [0]
    }
    fn write(self, out: &mut Vec<u8>) {
        out.push(u8::from(self));
    }
}

/// An array of any number of dimensions, its elements in row-major order.
///
/// ```
/// use service_framework_core::value::Array;
/// let table = Array::new(vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
/// assert_eq!(table.shape(), [2, 3]);
/// assert!(Array::new(vec![2, 2], vec![1u8]).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Array<T> {
    shape: Vec<usize>,
    elements: Vec<T>,
}

impl<T: Element> Array<T> {
    /// An array of that shape; `None` if the elements are more or fewer than the shape has places.
    pub fn new(shape: Vec<usize>, elements: Vec<T>) -> Option<Self> {
        (count(&shape)? == elements.len()).then_some(Self { shape, elements })
    }

    /// The length of each dimension, the outermost first; empty for a single number.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in row-major order.
    pub fn elements(&self) -> &[T] {
        &self.elements
    }

    /// Shape and elements, for the array library of your choice.
    pub fn into_parts(self) -> (Vec<usize>, Vec<T>) {
        (self.shape, self.elements)
    }
}

/// A list of numbers is an array of one dimension.
impl<T: Element> From<Vec<T>> for Array<T> {
    fn from(elements: Vec<T>) -> Self {
        Self { shape: vec![elements.len()], elements }
    }
}

fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |count, length| count.checked_mul(*length))
}

/// An array whose type of elements is known only at run time.
#[derive(Clone, Debug)]
pub struct AnyArray {
    element_type: ElementType,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl AnyArray {
    /// An array from its bytes, little-endian and in row-major order.
    ///
    /// # Errors
    ///
    /// If the bytes are more or fewer than the shape has places for.
    pub fn new(element_type: ElementType, shape: Vec<usize>, bytes: Vec<u8>) -> Result<Self, Fault> {
        let due = count(&shape).and_then(|count| count.checked_mul(element_type.size()));
        if due != Some(bytes.len()) {
            let expected = match due {
                Some(due) => format!("{due} bytes for an array of {element_type} and shape {shape:?}"),
                None => format!("an array that fits into memory, not of shape {shape:?}"),
            };
            return Err(Fault::mismatch(expected, format!("{} bytes", bytes.len())));
        }
        Ok(Self { element_type, shape, bytes })
    }

    /// An array of one dimension and 64-bit floats, which is all that the Python original sends.
    ///
    /// # Errors
    ///
    /// If the bytes are not a multiple of 8.
    pub fn of_floats(bytes: Vec<u8>) -> Result<Self, Fault> {
        if !bytes.len().is_multiple_of(8) {
            return Err(Fault::mismatch("a multiple of 8 bytes", format!("{} bytes", bytes.len())));
        }
        Ok(Self { element_type: ElementType::F64, shape: vec![bytes.len() / 8], bytes })
    }

    /// The type of the elements.
    pub fn element_type(&self) -> ElementType {
        self.element_type
    }

    /// The length of each dimension, the outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements as little-endian bytes in row-major order.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it is of the one form that the Python original reads back: one dimension of 64-bit floats.
    pub fn is_plain_floats(&self) -> bool {
        self.element_type == ElementType::F64 && self.shape.len() == 1
    }

    /// The array as one dimension of 64-bit floats, whatever it was; integers beyond 2^53 lose their last digits.
    #[must_use]
    pub fn to_plain_floats(&self) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "the caller asks for floats")]
        fn widen(element_type: ElementType, bytes: &[u8]) -> f64 {
            match element_type {
                ElementType::Bool => f64::from(u8::from(bool::read(bytes))),
                ElementType::I8 => i8::read(bytes).into(),
                ElementType::I16 => i16::read(bytes).into(),
                ElementType::I32 => i32::read(bytes).into(),
                ElementType::I64 => i64::read(bytes) as f64,
                ElementType::U8 => u8::read(bytes).into(),
                ElementType::U16 => u16::read(bytes).into(),
                ElementType::U32 => u32::read(bytes).into(),
                ElementType::U64 => u64::read(bytes) as f64,
                ElementType::F32 => f32::read(bytes).into(),
                ElementType::F64 => f64::read(bytes),
            }
        }
        let elements = self.bytes.chunks_exact(self.element_type.size());
        let floats: Vec<f64> = elements.map(|bytes| widen(self.element_type, bytes)).collect();
        (&Array::from(floats)).into()
    }
}

impl<T: Element> From<&Array<T>> for AnyArray {
    fn from(array: &Array<T>) -> Self {
        let mut bytes = Vec::with_capacity(array.elements.len() * T::TYPE.size());
        array.elements.iter().for_each(|element| element.write(&mut bytes));
        Self { element_type: T::TYPE, shape: array.shape.clone(), bytes }
    }
}

impl<T: Element> TryFrom<AnyArray> for Array<T> {
    type Error = Fault;

    /// # Errors
    ///
    /// If the elements are of another type.
    fn try_from(array: AnyArray) -> Result<Self, Fault> {
        if array.element_type != T::TYPE {
            let found = format!("an array of {}", array.element_type);
            return Err(Fault::mismatch(format!("an array of {}", T::TYPE), found));
        }
        let elements = array.bytes.chunks_exact(T::TYPE.size()).map(T::read).collect();
        Ok(Self { shape: array.shape, elements })
    }
}

impl PartialEq for AnyArray {
    fn eq(&self, other: &Self) -> bool {
        self.element_type == other.element_type && self.shape == other.shape && self.bytes == other.bytes
    }
}

impl Eq for AnyArray {}

impl Hash for AnyArray {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.element_type, &self.shape, &self.bytes).hash(state);
    }
}
