using System.Runtime.InteropServices;

namespace Tamx.Llama.Interop;

/// <summary>
/// A value in native memory, at first all zero. Callbacks of native code read and write it without touching a managed
/// object. It is freed once it is disposed and no call uses it.
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

    /// <summary>The value. It may be read while a <see cref="HandleLease"/> is held.</summary>
    public T* Pointer => (T*)handle;

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
