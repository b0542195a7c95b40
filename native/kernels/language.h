// What OpenCL C 1.2 and CUDA call differently, so that one source compiles as both. It goes before every kernel (see README.md), and
// keeps to the C they share: no libraries but what stands here, no recursion, no pointers to functions.
#ifdef __OPENCL_VERSION__

#pragma OPENCL FP_CONTRACT OFF
#define KERNEL __kernel
#define GLOBAL __global
#define LOCAL __local
#define FUNCTION static inline
#define GROUP_SIZE(x, y) __attribute__((reqd_work_group_size(x, y, 1)))
#define GROUP_X ((int)get_group_id(0))
#define GROUP_Y ((int)get_group_id(1))
#define LOCAL_X ((int)get_local_id(0))
#define LOCAL_Y ((int)get_local_id(1))
#define BARRIER() barrier(CLK_LOCAL_MEM_FENCE)
#define FLOAT_BITS(value) as_uint(value)
#define BITS_FLOAT(bits) as_float(bits)
#define ROUND(value) rint(value)
#define MIN(a, b) fmin(a, b)
#define MAX(a, b) fmax(a, b)
// Where a device has no such instruction, fma() is emulated, at many times the cost of what it saves.
#ifdef FP_FAST_FMAF
#define FMA(a, b, c) fma(a, b, c)
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif
// A processor's compiler takes minutes over what a GPU's unrolls into registers, and gains nothing.
#ifdef ROLLED
#define UNROLL
#else
#define UNROLL _Pragma("unroll")
#endif

typedef ulong index_t;

#else

#define KERNEL extern "C" __attribute__((global))
#define GLOBAL
#define LOCAL __attribute__((shared))
#define FUNCTION static inline __attribute__((device, always_inline))
#define GROUP_SIZE(x, y) __attribute__((launch_bounds((x) * (y))))
#define GROUP_X ((int)__nvvm_read_ptx_sreg_ctaid_x())
#define GROUP_Y ((int)__nvvm_read_ptx_sreg_ctaid_y())
#define LOCAL_X ((int)__nvvm_read_ptx_sreg_tid_x())
#define LOCAL_Y ((int)__nvvm_read_ptx_sreg_tid_y())
#define BARRIER() __syncthreads()
#define FLOAT_BITS(value) __builtin_bit_cast(unsigned int, value)
#define BITS_FLOAT(bits) __builtin_bit_cast(float, bits)
#define ROUND(value) __builtin_rintf(value)
#define MIN(a, b) __builtin_fminf(a, b)
#define MAX(a, b) __builtin_fmaxf(a, b)
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#define UNROLL _Pragma("clang loop unroll(full)")

typedef unsigned long long index_t;

#endif

// Threads of a group, the same in every kernel.
#define GROUP_WIDTH 16
#define GROUP_HEIGHT 16
#define GROUP_THREADS (GROUP_WIDTH * GROUP_HEIGHT)

// One map: where it comes from and where it goes. The host has the same (MapEntry).
typedef struct {
    int weight_row;  // its row of Q
    int output_row;  // the explained token's row of A
    int first_cell;  // its block's first column of A
    int cell_count;  // frames x rows x columns
    int offset;      // its first value among all maps'
    int rows;        // of a frame
    int columns;     // of a frame
    int range;       // what it is normalised with
} map_entry;
