using System.Runtime.InteropServices;
using System.Text;

namespace Tamx.Llama.Interop;

/// <summary>Text of native code: UTF-8 up to a zero byte.</summary>
internal static unsafe class NativeText
{
    internal static string Read(byte* text) =>
        Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
}
