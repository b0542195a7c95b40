using System.Runtime.InteropServices;

namespace Tamx.Llama.Interop;

/// <summary>
/// A value in native memory, all zero at first, that callbacks of native code read and write without touching a managed
/// object. It is freed when it has been disposed and no call uses it any more.
/// </summary>
internal sealed unsafe class UnmanagedState<T> : SafeHandle
    where T : unmanaged
{
    public UnmanagedState()
        : base(0, ownsHandle: true)
    {
        SetHandle((nint)NativeMemory.AllocZeroed((nuint)sizeof(T)));
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The value. Whoever follows it holds a <see cref="HandleLease"/>.</summary>
    public T* Pointer => (T*)handle;

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
