namespace Tamx.Kernels.Tests.Ptx;

/// <summary>
/// The arithmetic of PTX's instructions. Registers have 64 bits, and smaller numbers use the lower bits. Predicates are
/// 0 or 1.
/// </summary>
internal static class PtxArithmetic
{
    /// <summary>An instruction's function of up to three operands.</summary>
    public static Func<ulong, ulong, ulong, ulong> Find(string operation)
    {
        var parts = operation.Split('.');
        return parts[0] == "setp"
            ? Compare(parts[1], parts[2])
            : operation switch
            {
                "mov.b32" or "mov.f32" or "mov.u32" => (a, _, _) => (uint)a,
                "mov.b64" or "mov.u64" or "mov.pred" or "cvt.u64.u32" => (a, _, _) => a,
                "selp.b32" or "selp.f32" or "selp.b64" => (a, b, c) => c != 0 ? a : b,
                "and.pred" or "and.b32" or "and.b64" => (a, b, _) => a & b,
                "or.pred" or "or.b32" or "or.b64" => (a, b, _) => a | b,
                "xor.pred" or "xor.b32" => (a, b, _) => a ^ b,
                "not.pred" => (a, _, _) => a ^ 1,
                "not.b32" => (a, _, _) => ~(uint)a,
                "testp.notanumber.f32" => (a, _, _) => float.IsNaN(F(a)) ? 1ul : 0,

                "add.f32" => (a, b, _) => B(F(a) + F(b)),
                "sub.f32" => (a, b, _) => B(F(a) - F(b)),
                "mul.f32" => (a, b, _) => B(F(a) * F(b)),
                "div.rn.f32" => (a, b, _) => B(F(a) / F(b)),
                "fma.rn.f32" => (a, b, c) => B(MathF.FusedMultiplyAdd(F(a), F(b), F(c))),
                "min.f32" => (a, b, _) => B(float.MinNumber(F(a), F(b))),
                "max.f32" => (a, b, _) => B(float.MaxNumber(F(a), F(b))),
                "abs.f32" => (a, _, _) => B(MathF.Abs(F(a))),
                "neg.f32" => (a, _, _) => B(-F(a)),

                "add.s32" or "add.u32" => (a, b, _) => (uint)(a + b),
                "sub.s32" or "sub.u32" => (a, b, _) => (uint)(a - b),
                "mul.lo.s32" or "mul.lo.u32" => (a, b, _) => (uint)(a * b),
                "mad.lo.s32" or "mad.lo.u32" => (a, b, c) => (uint)(a * b + c),
                "div.s32" => (a, b, _) => (uint)((int)a / (int)b),
                "rem.s32" => (a, b, _) => (uint)((int)a % (int)b),
                "min.s32" => (a, b, _) => (uint)Math.Min((int)a, (int)b),
                "max.s32" => (a, b, _) => (uint)Math.Max((int)a, (int)b),
                "abs.s32" => (a, _, _) => (uint)Math.Abs((int)a),
                "neg.s32" => (a, _, _) => (uint)-(int)a,
                "shl.b32" => (a, b, _) => b > 31 ? 0 : (uint)a << (int)b,
                "shr.s32" => (a, b, _) => (uint)((int)a >> (int)Math.Min(b, 31)),
                "shr.u32" => (a, b, _) => b > 31 ? 0 : (uint)a >> (int)b,

                "add.s64" or "add.u64" => (a, b, _) => a + b,
                "sub.s64" or "sub.u64" => (a, b, _) => a - b,
                "mul.lo.s64" or "mul.lo.u64" => (a, b, _) => a * b,
                "mad.lo.s64" or "mad.lo.u64" => (a, b, c) => a * b + c,
                "div.s64" => (a, b, _) => (ulong)((long)a / (long)b),
                "min.s64" => (a, b, _) => (ulong)Math.Min((long)a, (long)b),
                "max.s64" => (a, b, _) => (ulong)Math.Max((long)a, (long)b),
                "shl.b64" => (a, b, _) => b > 63 ? 0 : a << (int)b,
                "mul.wide.u32" => (a, b, _) => (uint)a * (ulong)(uint)b,
                "mul.wide.s32" => (a, b, _) => (ulong)((long)(int)a * (int)b),

                "cvt.s64.s32" => (a, _, _) => (ulong)(int)a,
                "cvt.s32.s64" or "cvt.u32.u64" => (a, _, _) => (uint)a,
                "cvt.rzi.s32.f32" => (a, _, _) =>
                    float.IsNaN(F(a)) ? 0 : (uint)(int)Math.Clamp((double)F(a), int.MinValue, int.MaxValue),
                "cvt.rn.f32.s32" => (a, _, _) => B((int)a),
                _ => throw new NotSupportedException($"no arithmetic for {operation}"),
            };
    }

    private static Func<ulong, ulong, ulong, ulong> Compare(string relation, string type)
    {
        if (type == "f32")
        {
            // With a NaN, a relation that ends in u is true, and any other is false.
            var unordered = relation is not ("lt" or "gt") && relation.EndsWith('u');
            var ordered = Relation(unordered ? relation[..^1] : relation);
            var ofNaN = unordered ? 1ul : 0;
            return (a, b, _) =>
                float.IsNaN(F(a)) || float.IsNaN(F(b)) ? ofNaN : ordered(F(a).CompareTo(F(b)), F(a) == F(b));
        }

        var whole = Relation(
            relation switch
            {
                "lo" => "lt",
                "ls" => "le",
                "hi" => "gt",
                "hs" => "ge",
                _ => relation,
            }
        );
        var isUnsigned = type[0] != 's';
        return type.EndsWith("64", StringComparison.Ordinal)
            ? (a, b, _) => whole(isUnsigned ? a.CompareTo(b) : ((long)a).CompareTo((long)b), a == b)
            : (a, b, _) =>
                whole(isUnsigned ? ((uint)a).CompareTo((uint)b) : ((int)a).CompareTo((int)b), (uint)a == (uint)b);
    }

    private static Func<int, bool, ulong> Relation(string name) =>
        name switch
        {
            "eq" => (_, same) => same ? 1ul : 0,
            "ne" => (_, same) => same ? 0 : 1ul,
            "lt" => (order, same) => order < 0 && !same ? 1ul : 0,
            "le" => (order, same) => order < 0 || same ? 1ul : 0,
            "gt" => (order, same) => order > 0 && !same ? 1ul : 0,
            "ge" => (order, same) => order > 0 || same ? 1ul : 0,
            _ => throw new NotSupportedException($"no relation {name}"),
        };

    private static float F(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static ulong B(float value) => BitConverter.SingleToUInt32Bits(value);
}
