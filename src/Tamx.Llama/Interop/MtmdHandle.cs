using System.Runtime.InteropServices;
using LLama.Native;

namespace Tamx.Llama.Interop;

/// <summary>An mtmd_context. It keeps its model and its callback's state alive until it is freed.</summary>
internal sealed class MtmdHandle : SafeHandle
{
    private readonly SafeLlamaModelHandle _model;
    private readonly SafeHandle _callbackState;

    public MtmdHandle(nint context, SafeLlamaModelHandle model, SafeHandle callbackState)
        : base(0, ownsHandle: true)
    {
        var added = false;
        _model = model;
        _model.DangerousAddRef(ref added);
        _callbackState = callbackState;
        _callbackState.DangerousAddRef(ref added);
        SetHandle(context);
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        MtmdApi.Free(handle);
        _callbackState.DangerousRelease();
        _model.DangerousRelease();
        return true;
    }
}
