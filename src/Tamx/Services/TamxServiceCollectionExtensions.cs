using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Tamx;
using Tamx.Kernels;
using Tamx.Llama;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>A model among an application's services.</summary>
public static class TamxServiceCollectionExtensions
{
    /// <summary>
    /// Adds a model by options that come from elsewhere, as from configuration:
    /// <c>services.AddTamx().BindConfiguration("Tamx")</c>.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">
    /// For one of several models: the name of the options, and the key of the services. Null for the only one.
    /// </param>
    /// <returns>The options. They are checked when the application starts.</returns>
    /// <remarks>
    /// <para>The services are singletons, made when they are first asked for, and disposed of with the provider:</para>
    /// <list type="bullet">
    /// <item><see cref="VisionLanguageModel"/>. Whoever asks first waits until it is loaded.</item>
    /// <item><see cref="ITamEngine"/>. Any number of threads may use it; they take turns.</item>
    /// <item><see cref="ExplainOptions"/>, from <see cref="TamxOptions.Explain"/>.</item>
    /// </list>
    /// <para>They log to the application's log.</para>
    /// </remarks>
    public static OptionsBuilder<TamxOptions> AddTamx(this IServiceCollection services, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TamxOptions>, Validation>());
        Add(
            services,
            name,
            provider =>
                provider.GetRequiredService<IOptionsMonitor<TamxOptions>>().Get(name ?? Options.Options.DefaultName)
        );
        return services.AddOptions<TamxOptions>(name).ValidateOnStart();
    }

    /// <summary>Adds a model by its options.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="options">The options.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <inheritdoc cref="AddTamx(IServiceCollection, string?)" path="/remarks"/>
    /// <exception cref="InvalidInputException">Values are missing or out of their range.</exception>
    public static IServiceCollection AddTamx(this IServiceCollection services, TamxOptions options) =>
        AddChecked(services, null, options);

    /// <summary>Adds one of several models by its options.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The key of the services.</param>
    /// <param name="options">The options.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <inheritdoc cref="AddTamx(IServiceCollection, string?)" path="/remarks"/>
    /// <exception cref="InvalidInputException">Values are missing or out of their range.</exception>
    public static IServiceCollection AddTamx(this IServiceCollection services, string name, TamxOptions options)
    {
        ArgumentNullException.ThrowIfNull(name);
        return AddChecked(services, name, options);
    }

    private static IServiceCollection AddChecked(IServiceCollection services, string? name, TamxOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Add(services, name, _ => options);
        return services;
    }

    private static void Add(IServiceCollection services, string? name, Func<IServiceProvider, TamxOptions> optionsOf)
    {
        services.AddKeyedSingleton(name, (provider, _) => Load(optionsOf(provider), LoggersOf(provider)));
        services.AddKeyedSingleton<ITamEngine>(
            name,
            (provider, _) => CreateEngine(optionsOf(provider), LoggersOf(provider))
        );
        services.AddKeyedSingleton(name, (provider, _) => optionsOf(provider).Explain);
    }

    private static ILoggerFactory LoggersOf(IServiceProvider provider) =>
        provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;

    // A service is made without awaiting. The work is the pool's, so that waiting for it cannot block it.
    private static VisionLanguageModel Load(TamxOptions options, ILoggerFactory loggers) =>
        VisionLanguageModel
            .LoadAsync(
                options.Model.LoggerFactory is NullLoggerFactory
                    ? options.Model with
                    {
                        LoggerFactory = loggers,
                    }
                    : options.Model
            )
            .GetAwaiter()
            .GetResult();

    private static SharedEngine CreateEngine(TamxOptions options, ILoggerFactory loggers) =>
        new(EngineLog.Create(options.Engine, loggers));

    private sealed class Validation : IValidateOptions<TamxOptions>
    {
        public ValidateOptionsResult Validate(string? name, TamxOptions options)
        {
            try
            {
                options.Validate();
                return ValidateOptionsResult.Success;
            }
            catch (InvalidInputException e)
            {
                return ValidateOptionsResult.Fail(e.Message);
            }
        }
    }
}
