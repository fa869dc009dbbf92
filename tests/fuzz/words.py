"""Words that formats and settings are made of."""

from __future__ import annotations

PARQUET = (b"PAR1", b"\x15\x00", b"\x15\x0c\x15\x0e", b"ARROW:schema", b"pandas", b"table_meta_yaml", b"unit")
ARROW = (b"ARROW1", b"\xff\xff\xff\xff\x00\x00\x00\x00", b"\x04\x00\x00\x00\x00\x00\x00\x80")
TEXT = (
    b"# ",
    b'""',
    b'"',
    b",,,,,,",
    b"\t\t",
    b";",
    b"|",
    b"nan",
    b"#\n#\n",
    b"1,2\n",
    b"\n\n\n",
    b"\\N",
    b"1e5",
    b"-",
)
FIXED = (
    b"|",
    b"||",
    b"|long|",
    b"| null|",
    b"\\",
    b"-99",
    b" \n",
    b"1D+01",
    b"\t",
    b"Title:",
    b"------\n",
    b"======\n",
)
FIXED += (b"Byte-by-byte Description of file", b"  1-  8 A8 --- name [0/1]?=-9 x\n", b" 99999 I1 mag m ?\n", b" 1X ")
ECSV = (b"# %ECSV 1.0\n", b"# ---\n", b"datatype: int64", b"float128", b"subtype: float64[3]", b"!!python/object:os.x")
ECSV += (
    b"# meta: !!omap\n",
    b"{name: a, datatype: bool}",
    b"&a [*a]",
    b"delimiter: ','",
    b"!astropy.units.Unit",
    b"json",
)
VOTABLE = (b"<TABLE>", b"</TABLE>", b"<FIELD name='a' datatype='int'/>", b"arraysize='*'", b"arraysize='9999999x3'")
VOTABLE += (b"nrows='99999999'", b"<TR><TD>1</TD></TR>", b"<STREAM encoding='gzip'>", b"href='file:///etc/passwd'")
VOTABLE += (
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"&amp;",
    b"<![CDATA[",
    b"<VALUES null='1'/>",
    b"datatype='bit'",
    b"<GROUP>",
)
FITS = (
    b"SIMPLE  =                    T",
    b"NAXIS2  =           1000000000",
    b"NAXIS1  =                   -8",
    b"END     ",
)
FITS += (
    b"TFIELDS =                  999",
    b"TFORM1  = '1PE(9)  '",
    b"TFORM1  = '999999999D'",
    b"XTENSION= 'TABLE   '",
    b"CONTINUE",
)
FITS += (
    b"TSCAL1  =                  NaN",
    b"TNULL1  =                  'x'",
    b"TZERO1  = 9223372036854775808",
    b"PCOUNT  =  9999999999",
)
FITS += (
    b"TTYPE1  = ",
    b"TDIM1   = '(0,0)   '",
    b"TBCOL1  =                   -5",
    b"BITPIX  =                  -64",
    b"ZIMAGE  = T",
)
HDF5 = (
    b"\x89HDF\r\n\x1a\n",
    b"OHDR",
    b"TREE",
    b"SNOD",
    b"HEAP",
    b"GCOL",
    b"FRHP",
    b"BTHD",
    b"FADB",
    b"pandas_type",
    b"shape",
)
HDF5 += (b"frame_table", b"nblocks", b"axis0", b"__table_column_meta__", b"\xff" * 8, b"unit", b"block0_values")
HATS = (
    b"hats_order=29",
    b"total_rows=-1",
    b"catalog_type=map",
    b"npix_suffix=/",
    b"ra_column=",
    b"Norder,Npix",
    b"../..",
    b"dataset",
)
JSON = (
    b"NaN",
    b"null",
    b"{}",
    b"[]",
    b'"\\ud800"',
    b"1e400",
    b"99999999999999999999",
    b'"bands"',
    b'"network"',
    b'"hidden"',
)
MODEL = (
    *JSON,
    b'"F32"',
    b'"BF16"',
    b'"shape":[',
    b'"data_offsets":[',
    b"__metadata__",
    b"bayesian",
    b"mixture",
    b"point",
)
ZIP = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"model.json", b"../model.json")
ONNX = (
    b"mixz",
    b"mag",
    b"MatMul",
    b"Gemm",
    b"external",
    b"location",
    b"\x0a\x80\x80\x80\x80\x08",
    b"pdf",
    b"z_grid",
    b"Loop",
)
YAML = (
    b"&a",
    b"*a",
    b"<<: *a",
    b"!!python/name:os.system",
    b"? ",
    b"- ",
    b"{a: b}",
    b"[1, 2]",
    b"|\n",
    b"'",
    b"~",
    b"true",
    b".nan",
)
YAML += (
    b"bands: [g, r]",
    b"members: 1000000000",
    b"recipes: [fused]",
    b"path: /dev/zero",
    b"path: .",
    b"cuts:",
    b"match:",
)
YAML += (
    b"overlap: {}",
    b"z_max: 1e308",
    b"hidden: [99999999]",
    b"column: mag_g ** 99",
    b"repeated: first",
    b"equals: [1, a]",
)
YAML += (
    b"columns: {mag: {g: mag_r}}",
    b"survey: hsc_pdr3",
    b"group: 0",
    b"kernel: {table: deep.csv}",
    b"truth_cuts:",
    b"nodes: 5",
)
ARITHMETIC = (
    b"mag_g",
    b"mag_r",
    b"flags",
    b"name",
    b"log10(",
    b"max(",
    b"isnan(",
    b")",
    b"**",
    b"&",
    b"<<",
    b"~",
    b"1e400",
    b"9" * 99,
)
ARITHMETIC += (
    b"lambda x: x",
    b"mag_g if 1 else 2",
    b"[1]",
    b"__import__('os')",
    b"0x",
    b"1j",
    b"True",
    b"'a'",
    b"((((",
    b"-" * 90,
)
WEB = (
    b"name=a.csv",
    b"&mag=%7Bband%7D",
    b"&mag={band}_{band}",
    b"&format=hdf5",
    b"&group=../x",
    b"&id=name",
    b"%00",
    b"%ff",
    b"&system=x",
)
WEB += (
    b"&flux=mag_{band}",
    b"&flux_zero_point=nan",
    b"&flux_zero_point=1e308",
    b"name=a.vot",
    b"name=.gz",
    b"&ebv=flags",
    b"&dereddened=1",
)
