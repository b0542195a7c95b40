using System.Runtime.InteropServices;

namespace Tamx.Llama.Interop;

/// <summary>Keeps a native object alive while a method uses it, even if it is disposed meanwhile.</summary>
internal readonly ref struct HandleLease
{
    private readonly SafeHandle _handle;

    /// <exception cref="ObjectDisposedException">It was freed.</exception>
    public HandleLease(SafeHandle handle)
    {
        var added = false;
        handle.DangerousAddRef(ref added);
        _handle = handle;
    }

    public void Dispose() => _handle.DangerousRelease();
}
