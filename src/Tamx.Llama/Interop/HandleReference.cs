using System.Runtime.InteropServices;

namespace Tamx.Llama.Interop;

/// <summary>
/// A lasting reference to a native object. Whatever the order of disposal, the object is freed only after this is
/// disposed or finalized.
/// </summary>
internal sealed class HandleReference : SafeHandle
{
    private readonly SafeHandle _target;

    /// <exception cref="ObjectDisposedException">It was freed.</exception>
    public HandleReference(SafeHandle target)
        : base(0, ownsHandle: true)
    {
        _target = target;
        var added = false;
        target.DangerousAddRef(ref added);
        SetHandle(1);
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        _target.DangerousRelease();
        return true;
    }
}
