using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tamx;
using Tamx.Web;
using Tamx.Web.Api;
using Tamx.Web.Runs;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The web app and its API as a part of an ASP.NET application.</summary>
public static class TamxServerExtensions
{
    /// <summary>
    /// Adds the server by options that come from elsewhere, as from configuration:
    /// <c>services.AddTamxServer().BindConfiguration("Tamx")</c>. <see cref="MapTamx"/> says where it answers.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <returns>The options. They are checked when the application starts, which then waits for the model.</returns>
    public static OptionsBuilder<ServerOptions> AddTamxServer(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ServerOptions>, Validation>());
        Add(services, provider => provider.GetRequiredService<IOptions<ServerOptions>>().Value);
        return services.AddOptions<ServerOptions>().ValidateOnStart();
    }

    /// <summary>Adds the server by its options. <see cref="MapTamx"/> says where it answers.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="options">The options.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="InvalidInputException">Values are missing or out of their range.</exception>
    public static IServiceCollection AddTamxServer(this IServiceCollection services, ServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Add(services, _ => options);
        return services;
    }

    /// <summary>
    /// Maps the page and the API below a path, in the application's own pipeline: what stands before endpoints
    /// (authentication, rate limits) holds for them, too.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="prefix">The path, as <c>/tamx</c>; empty for the root.</param>
    /// <returns>All endpoints, to require something of them: <c>RequireAuthorization</c>.</returns>
    /// <exception cref="ArgumentException">The path begins with no slash, ends with one, or holds parameters.</exception>
    /// <exception cref="InvalidOperationException">The server is not among the services.</exception>
    public static IEndpointConventionBuilder MapTamx(this IEndpointRouteBuilder endpoints, string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        if (prefix.Length > 0 && (prefix[0] != '/' || prefix[^1] == '/' || prefix.Any("{}*~?#".Contains)))
        {
            throw new ArgumentException(
                $"'{prefix}' is no path to map to; one begins with a slash and ends without, as in /tamx, and is plain",
                nameof(prefix)
            );
        }

        var routes =
            endpoints.ServiceProvider.GetService<Routes>()
            ?? throw new InvalidOperationException("services.AddTamxServer comes before MapTamx");
        return routes.Map(endpoints, prefix);
    }

    private static void Add(IServiceCollection services, Func<IServiceProvider, ServerOptions> optionsOf)
    {
        services.AddRoutingCore().AddCors().AddMetrics();
        services.TryAddSingleton(new Listening(IsLoopback: false));
        services.TryAddSingleton(optionsOf);
        services.TryAddSingleton(_ => PrivateFolder.Create());
        services.TryAddSingleton(provider => new ModelWorker(
            provider.GetRequiredService<ServerOptions>(),
            provider.GetRequiredService<PrivateFolder>().Add("tmp"),
            provider.GetRequiredService<ILoggerFactory>()
        ));
        services.TryAddSingleton(provider => new RunStore(
            provider.GetRequiredService<PrivateFolder>().Add("runs"),
            provider.GetRequiredService<ServerOptions>().Limits
        ));
        services.TryAddSingleton<RunService>();
        services.TryAddSingleton<ServerMetrics>();
        services.TryAddSingleton<RequestGuard>();
        services.TryAddSingleton<RequestFrame>();
        services.TryAddSingleton<Routes>();
        services.AddHostedService<ModelStart>();
    }

    private sealed class Validation : IValidateOptions<ServerOptions>
    {
        public ValidateOptionsResult Validate(string? name, ServerOptions options)
        {
            var faults = new OptionFaults();
            options.Check(faults.Check);
            return faults.Text is { } text ? ValidateOptionsResult.Fail(text) : ValidateOptionsResult.Success;
        }
    }
}
