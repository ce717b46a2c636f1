// The control blocks of the kernels that take remote-write requests in: the numbers of src/kernels/write-layout.ts, whose
// names they bear. A test compares the two files.

export const SCAN_MESSAGE: u32 = 0;
export const SCAN_MESSAGE_BYTES: u32 = 1;
export const SCAN_REFS: u32 = 2;
export const SCAN_TIMES: u32 = 3;
export const SCAN_VALUES: u32 = 4;
export const SCAN_CAPACITY: u32 = 5;
export const SCAN_UNKNOWN: u32 = 6;
export const SCAN_SUCCESSORS: u32 = 7;
export const SCAN_SUCCESSOR_MASK: u32 = 8;
export const SCAN_PREVIOUS: u32 = 9;
export const SCAN_SAMPLES: u32 = 10;
export const SCAN_UNKNOWN_COUNT: u32 = 11;
export const SCAN_MAXT: u32 = 12;

export const UNKNOWN_WORDS: u32 = 4;
export const UNKNOWN_FIRST_SAMPLE: u32 = 0;
export const UNKNOWN_END_SAMPLE: u32 = 1;
export const UNKNOWN_START: u32 = 2;
export const UNKNOWN_END: u32 = 3;

export const SCANSTATUS_USUAL: u32 = 0;
export const SCANSTATUS_UNUSUAL: u32 = 1;
export const SCANSTATUS_FULL: u32 = 2;

export const STAGE_REFS: u32 = 0;
export const STAGE_TIMES: u32 = 1;
export const STAGE_VALUES: u32 = 2;
export const STAGE_OUTCOMES: u32 = 3;
export const STAGE_COUNT: u32 = 4;
export const STAGE_STAGED_REFS: u32 = 5;
export const STAGE_STAGED_TIMES: u32 = 6;
export const STAGE_STAGED_VALUES: u32 = 7;
export const STAGE_STAGED: u32 = 8;
export const STAGE_MIN_VALID_TIME: u32 = 10;

export const JUDGEMENT_OK: u8 = 0;
export const JUDGEMENT_DUPLICATE: u8 = 1;
export const JUDGEMENT_DUPLICATE_TIMESTAMP: u8 = 2;
export const JUDGEMENT_OUT_OF_ORDER: u8 = 3;
export const JUDGEMENT_OUT_OF_BOUNDS: u8 = 4;
export const JUDGEMENT_NO_SERIES: u8 = 255;
