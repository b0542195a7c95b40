using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tamx.Llama.Families;
using Tamx.Llama.Gguf;
using Tamx.Llama.Interop;

namespace Tamx.Llama;

/// <summary>A vision projector (mmproj) in libmtmd: cuts pictures into cells and computes their embeddings.</summary>
/// <remarks>Safe to use from several threads; patches are encoded one at a time.</remarks>
internal sealed class VisionProjector : IDisposable
{
    /// <summary>Held while a projector is loaded: libmtmd takes its device from the process's environment.</summary>
    private static readonly Lock DeviceGate = new();

    private readonly UnmanagedState<EncodingState> _state;
    private readonly Lock _encoding = new();
    private readonly int _inputSize;
    private readonly float[]? _rowEnd;

    private VisionProjector(MtmdHandle handle, UnmanagedState<EncodingState> state, ProjectorFacts facts, int inputSize)
    {
        Handle = handle;
        Facts = facts;
        UsesMrope = MtmdApi.UsesMrope(handle) != 0;
        IsCausal = MtmdApi.UsesNonCausal(handle, 0) == 0;
        _state = state;
        _inputSize = inputSize;
        _rowEnd = facts.RowEnd is { } rowEnd ? new TensorRows(rowEnd).Read([0]) : null;
    }

    public MtmdHandle Handle { get; }

    public ProjectorFacts Facts { get; }

    /// <summary>Whether cells lie on M-RoPE's axes; else each has the position after the one before it.</summary>
    public bool UsesMrope { get; }

    /// <summary>Whether a cell sees those before it alone; else all of a picture see each other.</summary>
    public bool IsCausal { get; }

    /// <summary>Whether a token that is no cell follows each row of cells but the last.</summary>
    public bool HasRowEnds => _rowEnd is not null;

    /// <summary>Loads a checked file for a model.</summary>
    /// <exception cref="ModelFormatException">libmtmd refuses it.</exception>
    /// <exception cref="LlamaException">There is not enough memory.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static unsafe VisionProjector Load(
        LlamaModel model,
        ProjectorFacts facts,
        ModelOptions options,
        IProgress<ModelLoadProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        using var errors = NativeLog.Listen();
        var state = new UnmanagedState<EncodingState>();
        var report = GCHandle.Alloc(new LoadReport(progress, cancellationToken));
        MtmdHandle? handle = null;
        try
        {
            var parameters = MtmdApi.GetDefaultParameters();
            parameters.UseGpu =
                options.GpuLayerCount != 0 && options.OffloadProjector && !LlamaModel.UsesNoDevice(options)
                    ? (byte)1
                    : (byte)0;
            parameters.ThreadCount = options.ThreadCount;
            parameters.PrintTimings = 0;
            parameters.Warmup = 0;
            parameters.EvalCallback = &OnNode;
            parameters.EvalCallbackData = state.Pointer;
            parameters.Progress = &OnProgress;
            parameters.ProgressData = (void*)GCHandle.ToIntPtr(report);
            (parameters.MinImageTokens, parameters.MaxImageTokens) = options.ImageTokenBounds(facts);

            LlamaLibraries.FileAtWork = options.ProjectorPath;
            var context = Load(model, options, parameters);
            if (context == 0)
            {
                throw LlamaModel.LoadFailure(options.ProjectorPath!, errors, options, cancellationToken);
            }

            handle = new MtmdHandle(context, model.Handle, state);
            LlamaLibraries.FileAtWork = options.ModelPath;
            var vision = new VisionProjector(handle, state, facts, model.InputSize);
            var kind = ProjectorKind.Of(facts.ProjectorType);
            return
                MtmdApi.SupportsVision(handle) != 0
                && (vision.UsesMrope, vision.IsCausal) == (kind.UsesMrope, kind.IsCausal)
                ? vision
                : throw new ModelFormatException(
                    options.ProjectorPath!,
                    $"llama.cpp does not decode its cells as those of {facts.ProjectorType} are decoded"
                );
        }
        catch
        {
            handle?.Dispose();
            state.Dispose();
            throw;
        }
        finally
        {
            report.Free();
        }
    }

    /// <summary>The tokens around a picture of some size, and the grid of its cells.</summary>
    /// <param name="width">Width in pixels, whole cells.</param>
    /// <param name="height">Height in pixels, whole cells.</param>
    /// <exception cref="InvalidInputException">The projector's cells are no grid.</exception>
    public VisionGrid Measure(int width, int height)
    {
        using var patch = new VisionPatch(this, width, height, default, default);
        return patch.ReadGrid();
    }

    /// <summary>Computes the embeddings of a temporal patch's cells.</summary>
    /// <param name="width">Width of a frame in pixels, as it was measured.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="cellCount">Cells, as they were counted when the size was measured.</param>
    /// <param name="first">The first frame: red, green, blue bytes, row by row.</param>
    /// <param name="second">The second frame; empty for a picture, which is a still frame twice.</param>
    /// <param name="cancelled">Ends the encoding soon when it is not 0.</param>
    /// <returns>The embeddings [cells, values per position], row-major.</returns>
    /// <exception cref="InvalidInputException">The picture cannot be encoded.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public unsafe float[] Encode(
        int width,
        int height,
        int cellCount,
        ReadOnlySpan<byte> first,
        ReadOnlySpan<byte> second,
        UnmanagedState<int> cancelled
    )
    {
        using var patch = new VisionPatch(this, width, height, first, second);
        if (patch.CellCount != cellCount)
        {
            throw new InvalidInputException(
                $"the picture has {patch.CellCount} cells, {cellCount} were counted before"
            );
        }

        using var stateLease = new HandleLease(_state);
        using var cancelledLease = new HandleLease(cancelled);
        lock (_encoding)
        {
            using var errors = NativeLog.Listen();
            _state.Pointer->Cancelled = cancelled.Pointer;
            var code = Volatile.Read(ref *cancelled.Pointer) != 0 ? 0 : MtmdApi.Encode(Handle, patch.Cells);
            _state.Pointer->Cancelled = null;
            if (Volatile.Read(ref *cancelled.Pointer) != 0)
            {
                throw new OperationCanceledException();
            }

            if (code != 0)
            {
                throw new InvalidInputException($"the picture could not be encoded{errors.Because}");
            }

            using var lease = new HandleLease(Handle);
            var embeddings = new ReadOnlySpan<float>(MtmdApi.GetOutput(Handle), checked(cellCount * _inputSize));
            return WithRowEnds(embeddings.ToArray(), width / Facts.CellSize);
        }
    }

    /// <summary>
    /// libmtmd (b10221) makes ends of rows by adding the tensor to memory that nobody wrote, times 0: NaN where that
    /// held one. So they are written here.
    /// </summary>
    private float[] WithRowEnds(float[] embeddings, int columns)
    {
        for (var at = columns; _rowEnd is not null && at < embeddings.Length / _inputSize; at += columns + 1)
        {
            _rowEnd.CopyTo(embeddings, at * _inputSize);
        }

        return embeddings;
    }

    public void Dispose()
    {
        Handle.Dispose();
        _state.Dispose();
    }

    /// <summary>Loads it. libmtmd takes the device from the C library's environment alone.</summary>
    private static nint Load(LlamaModel model, ModelOptions options, MtmdApi.Parameters parameters)
    {
        const string DeviceVariable = "MTMD_BACKEND_DEVICE";
        if (parameters.UseGpu == 0 || options.Device.Length == 0)
        {
            return MtmdApi.Load(options.ProjectorPath!, model.Handle, parameters);
        }

        lock (DeviceGate)
        {
            CRuntime.SetVariable(DeviceVariable, options.Device);
            try
            {
                return MtmdApi.Load(options.ProjectorPath!, model.Handle, parameters);
            }
            finally
            {
                CRuntime.RemoveVariable(DeviceVariable);
            }
        }
    }

    // Called between groups of the vision graph's nodes: 1 goes on, 0 ends it.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe byte OnNode(void* tensor, byte ask, void* data)
    {
        const int GroupSize = 64;
        var state = (EncodingState*)data;
        if (ask != 0)
        {
            return ++state->NodeCount % GroupSize == 0 ? (byte)1 : (byte)0;
        }

        return state->Cancelled == null || Volatile.Read(ref *state->Cancelled) == 0 ? (byte)1 : (byte)0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe byte OnProgress(float share, void* data)
    {
        var report = (LoadReport)GCHandle.FromIntPtr((nint)data).Target!;
        return LlamaModel.GoesOn(share, "projector", report.Progress, report.CancellationToken) ? (byte)1 : (byte)0;
    }

    private sealed record LoadReport(IProgress<ModelLoadProgress>? Progress, CancellationToken CancellationToken);

    /// <summary>What the vision graph's callback reads.</summary>
    private unsafe struct EncodingState
    {
        public int* Cancelled;
        public uint NodeCount;
    }
}
