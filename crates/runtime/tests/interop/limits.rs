//! What Python peers cannot take, seen by giving it to the original's own functions: as it is, and as `peer = "python"` narrows it.

use expect_test::expect;
use service_framework_core::value::AnyArray;
use service_framework_core::wire::{self, Encoding};
use service_framework_core::{Fault, Value, value};

use crate::codec::{codec, for_python, hex};
use crate::python::Version;

#[test]
fn what_python_makes_of_what_we_can_say_among_ourselves() {
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    let array = |element_type: &str, shape: &[usize], bytes: &[u8]| {
        let element_type = value::ElementType::from_name(element_type).unwrap();
        Value::from(AnyArray::new(element_type, shape.to_vec(), bytes.to_vec()).unwrap())
    };
    let with = |key: &str, value: Value| {
        let mut args = value!({"price": 1.0});
        if let Value::Map(args) = &mut args {
            args.insert(key, value);
        }
        args
    };
    let set = |members: &[Value]| Value::Set(members.to_vec());
    let cases = [
        ("a key that is an integer", Value::Map([(1, "a")].into_iter().collect())),
        ("a key that is a decimal", Value::Map([(decimal("1"), "a")].into_iter().collect())),
        ("a key that has no text", Value::Map([(Value::Bytes(vec![7]), "a")].into_iter().collect())),
        ("two keys of one text", Value::Map([(value!(1), "a"), (value!("1"), "b")].into_iter().collect())),
        ("a list in a set", set(&[value!([1])])),
        ("a signalling NaN in a set", set(&[decimal("sNaN")])),
        ("equal numbers in a set", set(&[value!(1), value!(1.0), value!(true), decimal("1.0")])),
        ("a decimal with the largest exponent", decimal("1E+999999999999999999")),
        ("a decimal with a larger one", decimal("1E+1000000000000000000")),
        ("an array of two dimensions", array("<f8", &[2, 1], &[0; 16])),
        ("an array of 32-bit floats", array("<f4", &[2], &[0; 8])),
        ("an array of bytes", array("|u1", &[3], &[0; 3])),
        ("null for an optional field", with("size", Value::Null)),
        ("null in a list", with("sizes", value!([null]))),
        ("null in a map", value!({"a": null})),
        ("a tuple for an optional field", with("pair", value!([1, "a"]))),
        ("an integer for a float", value!({"price": 1})),
        ("a float for an integer", with("size", value!(2.0))),
        ("a boolean for an integer", with("size", value!(true))),
        ("a field that its model lacks", with("other", value!(1))),
    ];
    let mut python = codec(Version::V18);
    let mut told = |how: &str, bytes: Result<Vec<u8>, Fault>| match bytes {
        Ok(bytes) => python.ask(&format!("{how} {}", hex(&bytes))),
        Err(fault) => format!("is not sent it: {fault}"),
    };
    let mut table = String::new();
    for (what, value) in cases {
        let how = if value.get("price").is_some() { "take" } else { "show" };
        table += &format!("{what}\n");
        table += &format!("  {}\n", told(how, wire::encode(&value, Encoding::MessagePack)));
        table += &format!("  python: {}\n", told(how, for_python(&value)));
    }
    table += &format!("JSON\n  {}\n", told("take", Ok(br#"{"price": 1.0}"#.to_vec())));
    expect![[r#"
        a key that is an integer
          refused ValueError: 'int is not allowed for map key when strict_map_key=True'
          python: sees {'1': 'a'}
        a key that is a decimal
          refused ValueError: 'decimal.Decimal is not allowed for map key when strict_map_key=True'
          python: sees {'1': 'a'}
        a key that has no text
          sees {b'\\x07': 'a'}
          python: is not sent it: expected a key with a text form, got 1 bytes
        two keys of one text
          refused ValueError: 'int is not allowed for map key when strict_map_key=True'
          python: is not sent it: two keys are the text "1" as text
        a list in a set
          refused TypeError: "unhashable type: 'list'"
          python: is not sent it: expected a member that is no map, set or array, got a list of 1
        a signalling NaN in a set
          refused TypeError: 'Cannot hash a signaling NaN value'
          python: is not sent it: expected a member that Python can hash, got the decimal sNaN
        equal numbers in a set
          sees 'set(1)'
          python: sees 'set(1)'
        a decimal with the largest exponent
          sees Decimal('1E+999999999999999999')
          python: sees Decimal('1E+999999999999999999')
        a decimal with a larger one
          refused InvalidOperation: "[<class 'decimal.InvalidOperation'>]"
          python: is not sent it: expected a decimal with an exponent of at most 18 digits, got the decimal 1E+1000000000000000000
        an array of two dimensions
          sees 'float64[2][0.0, 0.0]'
          python: sees 'float64[2][0.0, 0.0]'
        an array of 32-bit floats
          sees 'float64[1][0.0]'
          python: sees 'float64[2][0.0, 0.0]'
        an array of bytes
          refused ValueError: 'buffer size must be a multiple of element size'
          python: sees 'float64[3][0.0, 0.0, 0.0]'
        null for an optional field
          refused ValueError: 'Non Required Argument "None" type "<class \'NoneType\'>" is not of optional type "<class \'int\'>"'
          python: sees {'price': 1.0}
        null in a list
          refused ValueError: 'Non Required Argument "None" type "<class \'NoneType\'>" is not of optional type "<class \'int\'>"'
          python: refused ValueError: 'Non Required Argument "None" type "<class \'NoneType\'>" is not of optional type "<class \'int\'>"'
        null in a map
          sees {'a': None}
          python: sees '{}'
        a tuple for an optional field
          refused ValueError: 'Non Required Argument "a" type "<class \'str\'>" is not of optional type "<class \'int\'>"'
          python: refused ValueError: 'Non Required Argument "a" type "<class \'str\'>" is not of optional type "<class \'int\'>"'
        an integer for a float
          refused ValueError: 'New Argument "1" of type "<class \'int\'>" is not of required type "<class \'float\'>"'
          python: refused ValueError: 'New Argument "1" of type "<class \'int\'>" is not of required type "<class \'float\'>"'
        a float for an integer
          refused ValueError: 'Non Required Argument "2.0" type "<class \'float\'>" is not of optional type "<class \'int\'>"'
          python: refused ValueError: 'Non Required Argument "2.0" type "<class \'float\'>" is not of optional type "<class \'int\'>"'
        a boolean for an integer
          sees {'price': 1.0, 'size': True}
          python: sees {'price': 1.0, 'size': True}
        a field that its model lacks
          refused ValueError: 'Key "other" not in optional arguments "{\'size\': <class \'int\'>, \'at\': <class \'str\'>, \'sizes\': [<class \'int\'>], \'pair\': (<class \'int\'>, <class \'str\'>)}"'
          python: refused ValueError: 'Key "other" not in optional arguments "{\'size\': <class \'int\'>, \'at\': <class \'str\'>, \'sizes\': [<class \'int\'>], \'pair\': (<class \'int\'>, <class \'str\'>)}"'
        JSON
          refused ExtraData: 'unpack(b) received extra data.'
    "#]].assert_eq(&table);
}
