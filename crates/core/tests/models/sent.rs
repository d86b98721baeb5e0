//! What has no form on the wire, and what is left of a value for a Python peer.

use super::*;

#[test]
fn a_key_that_marks_a_type_cannot_be_sent() {
    let map: BTreeMap<String, bool> = [("__uuid__".into(), true)].into();
    for encoding in [Encoding::MessagePack, Encoding::Json] {
        let told = wire::encode(&map, encoding).unwrap_err().to_string();
        assert_eq!(told, "the key `__uuid__` marks a UUID on the wire");
        let told = wire::encode(&value!({"__uuid__": true}), encoding).unwrap_err().to_string();
        assert_eq!(told, "the key `__uuid__` marks a UUID on the wire");
    }
}

#[test]
fn an_integer_beyond_the_wire_cannot_be_sent() {
    for encoding in [Encoding::MessagePack, Encoding::Json] {
        let told = wire::encode(&Value::Int(1 << 64), encoding).unwrap_err().to_string();
        assert_eq!(told, "expected an integer from -2^63 to 2^64-1, got 18446744073709551616");
    }
}

/// What is written for a Python peer, read back as any value.
fn for_python<T: Model>(value: &T) -> Result<Value, String> {
    let mut writer = Writer::new(Encoding::MessagePack, Peer::Python);
    value.encode(&mut writer);
    let message = writer.finish().map_err(|fault| fault.to_string())?;
    Ok(wire::decode(&message, Encoding::MessagePack, &Limits::default()).unwrap())
}

#[test]
fn python_gets_text_keys_no_nulls_and_plain_arrays() {
    let map: BTreeMap<Decimal, u8> = [(decimal("1.5"), 1)].into();
    assert_eq!(for_python(&map), Ok(value!({"1.5": 1i64})));
    assert_eq!(for_python(&value!({"a": null, "b": {"c": null}})), Ok(value!({"b": {}})));
    assert_eq!(for_python(&Level { price: decimal("1"), size: 2, note: None }).unwrap().get("note"), None);
    let sizes = BTreeMap::from([("a".to_owned(), None), ("b".to_owned(), Some(2u8))]);
    assert_eq!(for_python(&sizes), Ok(value!({"b": 2i64})));
    let table = Array::new(vec![2, 2], vec![1u8, 2, 3, 4]).unwrap();
    let plain = AnyArray::from(&Array::from(vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!(for_python(&table), Ok(Value::from(plain)));
    let told = for_python(&Value::Set(vec![value!([1i64])])).unwrap_err();
    assert_eq!(told, "expected a member that is no map, set or array, got a list of 1");
}

#[test]
fn python_gets_no_decimal_that_it_cannot_hold_or_hash() {
    let told = "expected a member that Python can hash, got the decimal sNaN";
    assert_eq!(for_python(&BTreeSet::from([decimal("sNaN")])).unwrap_err(), told);
    assert_eq!(for_python(&Value::Set(vec![decimal("sNaN").into()])).unwrap_err(), told);
    assert!(for_python(&vec![BTreeSet::from([decimal("NaN")])]).is_ok());
    assert!(for_python(&(BTreeSet::from([1u8]), decimal("sNaN"))).is_ok());
    let too_large = decimal("12E+999999999999999999");
    assert_eq!(
        for_python(&too_large).unwrap_err(),
        "expected a decimal with an exponent of at most 18 digits, got the decimal 12E+999999999999999999"
    );
    assert!(wire::encode(&too_large, Encoding::MessagePack).is_ok());
}

#[test]
fn two_keys_of_one_text_cannot_be_sent_where_keys_are_text() {
    let mut map = Map::new();
    map.insert(1i64, "integer");
    map.insert("1", "text");
    assert!(wire::encode(&Value::Map(map.clone()), Encoding::MessagePack).is_ok());
    let told = wire::encode(&Value::Map(map), Encoding::Json).unwrap_err().to_string();
    assert_eq!(told, "two keys are the text \"1\" as text");
}
