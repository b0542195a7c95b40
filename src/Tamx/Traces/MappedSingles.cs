using System.Buffers;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Tamx;

/// <summary>
/// Float32 values that stay in their file: the system reads them as they are used, and drops them when it wants the
/// memory for something else.
/// </summary>
/// <remarks>
/// A span does not keep this object alive. Whoever takes one of a trace's states keeps the trace reachable while it is
/// in use (<see cref="GC.KeepAlive"/>). The file must not be cut short meanwhile; replacing it does no harm.
/// </remarks>
internal sealed unsafe class MappedSingles : MemoryManager<float>
{
    /// <summary>Unmaps by its own finalizer.</summary>
    private readonly SafeMemoryMappedViewHandle _handle;
    private readonly float* _values;
    private readonly int _count;

    /// <param name="file">The file, which may be closed afterwards.</param>
    /// <param name="position">The first byte, a multiple of 4.</param>
    /// <param name="count">Number of values, at least 1.</param>
    public MappedSingles(SafeFileHandle file, long position, int count)
    {
        using var mapping = MemoryMappedFile.CreateFromFile(
            file,
            null,
            0,
            MemoryMappedFileAccess.Read,
            HandleInheritability.None,
            leaveOpen: true
        );
        var view = mapping.CreateViewAccessor(position, (long)count * sizeof(float), MemoryMappedFileAccess.Read);
        _handle = view.SafeMemoryMappedViewHandle;
        _values = (float*)((byte*)_handle.DangerousGetHandle() + view.PointerOffset);
        _count = count;
    }

    /// <inheritdoc/>
    public override Span<float> GetSpan() => new(_values, _count);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, _count);
        return new MemoryHandle(_values + elementIndex, pinnable: this);
    }

    /// <inheritdoc/>
    public override void Unpin() { }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _handle.Dispose();
        }
    }
}
