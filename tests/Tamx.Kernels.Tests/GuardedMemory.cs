using System.Runtime.InteropServices;

namespace Tamx.Kernels.Tests;

/// <summary>
/// Floats between two pages that nobody may touch: a read or write one value too far ends the process. Linux only.
/// </summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int ReadWrite = 3;
    private const int Private = 2;
    private const int Anonymous = 0x20;

    private readonly nint _start;
    private readonly nuint _size;

    /// <summary>Copies some values.</summary>
    /// <param name="values">The values.</param>
    /// <param name="atEnd">Whether they end at the second page; else they start at the first.</param>
    public GuardedMemory(ReadOnlySpan<float> values, bool atEnd)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs Linux's memory protection.");
        var page = (nuint)Environment.SystemPageSize;
        var bytes = (nuint)values.Length * sizeof(float);
        var inner = (bytes + page - 1) / page * page;
        _size = inner + 2 * page;
        _start = Map(0, _size, ReadWrite, Private | Anonymous, -1, 0);
        if (_start == -1 || Protect(_start, page, 0) != 0 || Protect(_start + (nint)(page + inner), page, 0) != 0)
        {
            throw new InvalidOperationException(
                $"The system refused guarded memory: error {Marshal.GetLastPInvokeError()}."
            );
        }

        Length = values.Length;
        First = (float*)(_start + (nint)(atEnd ? page + inner - bytes : page));
        values.CopyTo(Span);
    }

    public Span<float> Span => new(First, Length);

    private float* First { get; }

    private int Length { get; }

    public void Dispose() => _ = Unmap(_start, _size);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
