//! Reads a file before it is executed: is it a library for this machine, whole, with the symbol of a plugin?

use object::read::elf::{ElfFile32, ElfFile64, FileHeader, ProgramHeader as _, SectionHeader as _};
use object::{
    Architecture, BinaryFormat, Endianness, FileKind, Object, ObjectKind, ObjectSection, ObjectSegment,
    ObjectSymbol, ReadRef, SymbolKind, SymbolSection,
};
use service_framework_core::plugin::{SYMBOL_PREFIX, abi};

/// Gives the name of the one plugin symbol in a library, or why it is not to be opened.
pub(super) fn inspect<'data, R: ReadRef<'data>>(library: R) -> Result<String, String> {
    let size = library.len().map_err(|()| "it cannot be read".to_owned())?;
    if size == 0 {
        return Err("the file is empty".into());
    }
    FileKind::parse(library).map_err(|_| "it is not a shared library".to_owned())?;
    let file =
        object::File::parse(library).map_err(|error| format!("it is not a whole shared library: {error}"))?;
    check_machine(&file)?;
    check_extent(&file, size)?;
    if file.kind() != ObjectKind::Dynamic {
        return Err(format!("it is not a shared library but {}", named(file.kind())));
    }
    let symbol = symbol(&file)?;
    check_table(&file, &symbol)
        .map_err(|why| format!("its symbol `{symbol}` is no table: it is not {why}"))?;
    Ok(symbol)
}

fn named(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Executable => "a program",
        ObjectKind::Relocatable => "an object file",
        ObjectKind::Core => "a memory dump",
        _ => "something else",
    }
}

fn check_machine<'data, R: ReadRef<'data>>(file: &object::File<'data, R>) -> Result<(), String> {
    let (format, architecture) = (file.format(), file.architecture());
    let ours = if cfg!(target_os = "macos") {
        BinaryFormat::MachO
    } else if cfg!(windows) {
        BinaryFormat::Pe
    } else {
        BinaryFormat::Elf
    };
    if format != ours {
        return Err(format!("it is a library of another system ({format:?}, this one has {ours:?})"));
    }
    let known = [
        ("x86_64", Architecture::X86_64),
        ("aarch64", Architecture::Aarch64),
        ("x86", Architecture::I386),
        ("arm", Architecture::Arm),
        ("riscv64", Architecture::Riscv64),
        ("powerpc64", Architecture::PowerPc64),
        ("s390x", Architecture::S390x),
    ];
    let ours = known.iter().find(|(name, _)| *name == std::env::consts::ARCH);
    match ours {
        Some((name, ours)) if *ours != architecture => {
            Err(format!("it is for another machine ({architecture:?}, this one is {name})"))
        }
        _ => Ok(()),
    }
}

/// Every part that the file says it has must lie inside it: a file cut short maps to memory that is not there.
fn check_extent<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, size: u64) -> Result<(), String> {
    let segments = file.segments().map(|segment| segment.file_range());
    let sections = file.sections().filter_map(|section| section.file_range());
    let mut ranges = segments.chain(sections);
    let mut is_cut = ranges.any(|(start, length)| start.checked_add(length).is_none_or(|end| end > size));
    // `object` shows loadable segments only; the dynamic linker reads others, too.
    is_cut |= match file {
        object::File::Elf32(elf) => is_cut_elf32(elf, size),
        object::File::Elf64(elf) => is_cut_elf64(elf, size),
        _ => false,
    };
    if is_cut { Err(format!("it is cut short: parts of it lie beyond its {size} bytes")) } else { Ok(()) }
}

macro_rules! is_cut {
    ($name:ident, $file:ident) => {
        fn $name<'data, R: ReadRef<'data>>(elf: &$file<'data, Endianness, R>, size: u64) -> bool {
            let endian = elf.endian();
            let beyond = |offset: u64, length: u64| offset.checked_add(length).is_none_or(|end| end > size);
            let header = elf.elf_header();
            let entry = u64::from(header.e_shentsize(endian)) * u64::from(header.e_shnum(endian));
            let table = beyond(header.e_shoff(endian).into(), entry);
            let segments = elf.elf_program_headers().iter();
            let mut segments = segments.filter(|segment| segment.p_filesz(endian) > 0);
            let sections = elf.elf_section_table().iter();
            let mut sections = sections.filter(|section| section.sh_type(endian) != object::elf::SHT_NOBITS);
            table
                || segments.any(|s| beyond(s.p_offset(endian).into(), s.p_filesz(endian).into()))
                || sections.any(|s| beyond(s.sh_offset(endian).into(), s.sh_size(endian).into()))
        }
    };
}

is_cut!(is_cut_elf32, ElfFile32);
is_cut!(is_cut_elf64, ElfFile64);

fn symbol<'data, R: ReadRef<'data>>(file: &object::File<'data, R>) -> Result<String, String> {
    let unreadable = |error: object::Error| format!("its symbols cannot be read: {error}");
    let mut plugins: Vec<(u32, String)> = Vec::new();
    for export in file.exports().map_err(unreadable)? {
        let export = export.map_err(unreadable)?;
        let name = export.name();
        let Some(name) = name.name().and_then(|name| std::str::from_utf8(name).ok()) else { continue };
        // Apple's linker puts an underscore before every name.
        let name = name.strip_prefix('_').unwrap_or(name);
        plugins.extend(version(name).map(|version| (version, name.to_owned())));
    }
    plugins.sort_unstable();
    let ours: Vec<&str> =
        plugins.iter().filter(|(found, _)| *found == abi::VERSION).map(|(_, name)| name.as_str()).collect();
    match (&ours[..], plugins.first()) {
        ([name], _) => Ok((*name).to_owned()),
        ([], None) => Err(format!(
            "it is no service: it exports no symbol `{SYMBOL_PREFIX}{}_<crate>`; write `export!(TheService);` in its crate",
            abi::VERSION
        )),
        ([], Some((found, _))) => Err(format!(
            "it speaks version {found} of the plugin boundary, this runtime speaks version {}: build both from one version of the framework",
            abi::VERSION
        )),
        (several, _) => Err(format!("it exports several services: {}", several.join(", "))),
    }
}

/// The table is read before anything else is known of the library, so that it must lie in its memory, as a table does; says what it is not.
fn check_table<'data, R: ReadRef<'data>>(
    file: &object::File<'data, R>,
    name: &str,
) -> Result<(), &'static str> {
    // Other formats than ELF list their exports elsewhere, without saying what they are.
    let mut symbols = file.dynamic_symbols().filter(|symbol| !symbol.is_undefined());
    let Some(table) = symbols.find(|symbol| symbol.name() == Ok(name)) else { return Ok(()) };
    let size = size_of::<abi::Plugin>() as u64;
    let holds = |start: u64, length: u64| {
        start <= table.address() && table.address().saturating_add(size) <= start.saturating_add(length)
    };
    let is_data = matches!(table.kind(), SymbolKind::Data | SymbolKind::Unknown);
    let is_placed = matches!(table.section(), SymbolSection::Section(_))
        && file.segments().any(|segment| holds(segment.address(), segment.size()));
    if !is_data || !is_placed {
        return Err("data of the library");
    }
    if !table.address().is_multiple_of(align_of::<abi::Plugin>() as u64) {
        return Err("aligned as one");
    }
    Ok(())
}

/// The version in the name of a plugin's symbol.
fn version(name: &str) -> Option<u32> {
    name.strip_prefix(SYMBOL_PREFIX)?.split_once('_')?.0.parse().ok()
}
