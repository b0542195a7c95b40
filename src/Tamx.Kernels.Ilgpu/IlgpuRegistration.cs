using System.Runtime.CompilerServices;

namespace Tamx.Kernels.Ilgpu;

/// <summary>Puts the engine on the list before a program's first own line runs.</summary>
internal static class IlgpuRegistration
{
    [ModuleInitializer]
    internal static void Register() => IlgpuEngine.Register();
}
