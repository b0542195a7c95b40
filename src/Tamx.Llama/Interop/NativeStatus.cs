using System.Text;

namespace Tamx.Llama.Interop;

/// <summary>enum tamx_status of native/shim/tamx_llama.h.</summary>
internal enum NativeStatus
{
    Ok = 0,
    InvalidArgument = 1,
    LoadFailed = 2,
    Cancelled = 3,
    ContextFull = 4,
    DecodeFailed = 5,
    ImageFailed = 6,
    OutOfMemory = 7,
    BufferTooSmall = 8,
    Internal = 9,
}

internal static class NativeStatusExtensions
{
    /// <summary>Throws what fits the status, with the native message. Must be called on the thread that made the native call.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="InvalidInputException">The context is full, or a picture cannot be used.</exception>
    /// <exception cref="LlamaException">Anything else.</exception>
    internal static void ThrowIfFailed(this NativeStatus status, CancellationToken cancellationToken = default)
    {
        switch (status)
        {
            case NativeStatus.Ok:
                return;
            case NativeStatus.Cancelled:
                throw new OperationCanceledException(cancellationToken);
            case NativeStatus.ContextFull:
                throw new InvalidInputException($"{LastError()}; use a larger context (-c)");
            case NativeStatus.ImageFailed:
                throw new InvalidInputException(LastError());
            default:
                throw new LlamaException(LastError());
        }
    }

    internal static string LastError()
    {
        Span<byte> text = stackalloc byte[2048];
        var length = Math.Min(NativeMethods.GetLastError(text, text.Length), text.Length - 1);
        return Encoding.UTF8.GetString(text[..length]);
    }
}
