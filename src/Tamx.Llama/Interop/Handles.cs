using System.Runtime.InteropServices;

namespace Tamx.Llama.Interop;

/// <summary>
/// An owned native object. A handle that needs another (a context its model) holds a reference to it, so that the other
/// is freed only after it, in whatever order the managed objects are disposed or finalized.
/// </summary>
internal abstract class NativeHandle : SafeHandle
{
    private SafeHandle[] _parents = [];

    protected NativeHandle()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    internal void KeepAlive(params SafeHandle[] parents)
    {
        for (var i = 0; i < parents.Length; i++)
        {
            var added = false;
            parents[i].DangerousAddRef(ref added);
            _parents = [.. _parents, parents[i]];
        }
    }

    protected sealed override bool ReleaseHandle()
    {
        Free(handle);
        foreach (var parent in _parents)
        {
            parent.DangerousRelease();
        }

        return true;
    }

    protected abstract void Free(nint pointer);
}

internal sealed class ModelHandle : NativeHandle
{
    protected override void Free(nint pointer) => NativeMethods.FreeModel(pointer);
}

internal sealed class VisionHandle : NativeHandle
{
    protected override void Free(nint pointer) => NativeMethods.FreeVision(pointer);
}

internal sealed class PromptHandle : NativeHandle
{
    protected override void Free(nint pointer) => NativeMethods.FreePrompt(pointer);
}

internal sealed class ContextHandle : NativeHandle
{
    protected override void Free(nint pointer) => NativeMethods.FreeContext(pointer);
}
